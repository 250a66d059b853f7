import { afterEach, expect, it } from "vitest";
import { root } from "../../tools/lib/course";
import { endScripts, startScript } from "../lib/child";
import { type FakeMachine, fakeMachine } from "../lib/fake-machine";

afterEach(endScripts);

async function examine(machine: FakeMachine) {
  const fakes = fakeMachine(machine);
  const env = {
    PATH: fakes.PATH,
    DOCKER_HOST: undefined,
    HTTP_PROXY: "http://ana:secret@proxy:3128",
  };
  const child = startScript(["tools/engine/doctor.ts"], { cwd: root, env });
  const code = await child.ended;
  fakes.remove();
  return { code, ...child.output };
}

it("npm run doctor shows what is found", async () => {
  const { code, stdout, stderr } = await examine({ engine: "28.5.2", program: "2.40.3" });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const line of [
    `Node.js         ${process.versions.node}`,
    "docker          28.2.2",
    /^Docker Engine {3}28\.5\.2 at unix:\/\/\/var\/run\/docker\.sock\b.*$/m,
    "Compose         2.40.3, docker-compose",
    "buildx          0.13.1",
    /^ports {11}5252 (free|in use), 9000 (free|in use), 80 (free|in use), 443 .*, 5002 .*$/m,
    "proxy settings  HTTP_PROXY=http://…@proxy:3128",
    "Nothing is missing.",
  ]) {
    expect(stdout).toMatch(line);
  }
});

it("npm run doctor ends with what is missing", async () => {
  const { code, stdout, stderr } = await examine({ engine: "28.5.2" });
  expect(stdout).toMatch(/^Compose {9}not found$/m);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: Docker Compose is missing: install .*\n$/);
});
