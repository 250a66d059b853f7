import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { usePorts } from "../lib/grader-fixtures";

const portOf = usePorts();

const utf16 = Buffer.from("\uFEFFservices: {}\n", "utf16le");
const bomb = Array.from({ length: 9 }, (_, n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(n && 9)}]`);
const page = "front-end/softy-pinko-front-end/index.html";
/** The file that a point is about. */
const files = {
  compose: "docker-compose.yml",
  dockerfile: "back-end/Dockerfile",
  conf: "front-end/softy-pinko-front-end.conf",
  site: page,
};

describe("the reading phase", () => {
  it.each<[keyof typeof files, string, string | Buffer, RegExp]>([
    ["compose", "too large", `#${"#".repeat(2_000_000)}`, /^it is larger than 100 kB$/],
    ["compose", "an alias bomb", bomb.join("\n"), /^its aliases expand to too many values$/],
    ["compose", "an alias cycle", "a: &a [*a]\n", /^its aliases expand to too many values$/],
    ["compose", "a directive", "%YAML 1.1\n---\na: 1\n", /a line begins with %/],
    ["compose", "nested deeply", `a: ${"[".repeat(300)}`, /^it is not valid YAML: Flow sequence/],
    ["compose", "tagged", "include: !!binary L2V0Yw==\n", /YAML: Unresolved tag/],
    ["dockerfile", "UTF-16", utf16, /^it is UTF-16$/],
    ["dockerfile", "without FROM", "RUN a\n", /^RUN comes before the first FROM$/],
    ["conf", "not text", "a b;\0", /^it contains NUL bytes, as UTF-16 does$/],
    ["conf", "nested deeply", "a {".repeat(1_000), /^blocks are more than 50 deep$/],
    ["site", "too large", "a".repeat(1_500_000), /^it is larger than 1000 kB$/],
  ])("fails the point '%s' if its file is %s", async (id, _, text, cause) => {
    const task = id === "compose" ? "task4" : "task3";
    const file = `${task}/${files[id]}`;
    const port = await portOf(task);
    await port.write({ [file]: text });
    const points = await port.read(task);
    expect(points.find((point) => point.id === `${task}.${id}`)).toMatchObject({
      verdict: "fail",
      cause: expect.stringMatching(cause),
      file,
    });
  });

  it("fails the point 'folder' and skips the others if the task is refused", async () => {
    const port = await portOf("task0");
    execFileSync("mkfifo", [path.join(port.folder, "task0/pipe")]);
    const [folder, ...others] = await port.read("task0");
    expect(folder).toMatchObject({ id: "task0.folder", verdict: "fail", file: "task0" });
    expect(new Set(others.map(({ verdict }) => verdict))).toEqual(new Set(["skipped"]));
  });

  it("reports nothing from files that are links to outside", async () => {
    const port = await portOf("task6");
    for (const name of [...Object.values(files).slice(0, 4), "2-api-servers.txt"]) {
      await port.remove(`task6/${name}`);
      symlinkSync("/etc/passwd", path.join(port.folder, "task6", name));
    }
    const points = await port.read("task6");
    const failures = points.filter(({ verdict }) => verdict === "fail").map(({ id }) => id);
    const ids = ["task6.command-file", "task6.compose", "task6.dockerfile", "task6.site"];
    expect(failures).toEqual(expect.arrayContaining(ids));
    expect(JSON.stringify(points)).not.toMatch(/root:|daemon/);
  });
});
