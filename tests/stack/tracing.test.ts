import { beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { type Container, listContainers, newMarker } from "../../tools/lib/compose";
import { pause } from "../../tools/lib/docker";
import { fetchAnswer } from "../../tools/lib/http";
import { attempt, run } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { fetchDuring, waitUntilEachServed } from "../lib/load";
import { bringUp, describeOnEngine, useStack } from "../lib/stacks";

/**
 * Reads a line in the format of production/proxy/log.conf.
 * @returns The request's ID, and what each attempt got from which server.
 */
function traced(line: string) {
  const pattern = /" \d{3} \d+ ".*" ".*" ([0-9a-f]{32}) [\d.]+ "(.*)" "(.*)" ".*"$/;
  const [, id = "", servers = "", statuses = ""] = pattern.exec(line) ?? [];
  return { id, servers: servers.split(/, | : /), statuses: statuses.split(/, | : /) };
}

describeOnEngine("production's logs", () => {
  const stack = useStack("production", ["back-end", "front-end", "proxy"]);
  const url = (): string => `http://127.0.0.1:${stack.ports.proxy}/api/hello`;
  const linesOf = async (service: string, marker: string): Promise<string[]> => {
    const containers = await listContainers(stack, service);
    const logs = containers.map(({ id }) => attempt("docker", argv`logs ${id}`));
    const lines = (await Promise.all(logs)).flatMap(({ stdout }) => stdout.split("\n"));
    return lines.filter((line) => line.includes(marker));
  };
  const waitForLines = (service: string, marker: string, count: number): Promise<string[]> =>
    waitUntil(
      async () => {
        const lines = await linesOf(service, marker);
        return lines.length >= count && lines;
      },
      { for: `${count} lines of ${service}`, timeoutMs: 20_000 },
    );
  beforeAll(() => bringUp(stack, argv`--scale back-end=3`));

  it("have one ID for a request, not the client's, and tell it the client", async () => {
    const marker = newMarker();
    const headers = { "X-Request-ID": "0".repeat(32) };
    const answer = await fetchAnswer(`${url()}?${marker}`, { headers });
    const [line = ""] = await waitForLines("proxy", marker, 1);
    const [servedLine = ""] = await waitForLines("back-end", marker, 1);
    const { id } = traced(line);
    expect(id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(servedLine.endsWith(` ${id}`)).toBe(true);
    expect(answer.headers["x-request-id"]).toBe(id);
  });

  it("escape quotes and control characters", async () => {
    const marker = newMarker();
    await fetchAnswer(`${url()}?${marker}`, { headers: { "User-Agent": 'a"\\\u009b' } });
    const [line] = await waitForLines("proxy", marker, 1);
    expect(line).toContain(String.raw`"a\x22\x5C\x9B"`);
  });

  it.each([
    ["hangs", pause, (id: string) => run("docker", argv`unpause ${id}`)],
    ["is killed", (id: string) => run("docker", argv`kill ${id}`), undefined],
  ])("show which servers got a request when one %s", async (_, fail, restore) => {
    const marker = newMarker();
    const [server] = (await listContainers(stack, "back-end")) as [Container];
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}:5252";
    const failing = await run("docker", argv`inspect ${`--format=${format}`} ${server.id}`);
    const isRetried = ({ servers }: { servers: string[] }): boolean => servers.length > 1;
    const answers = await fetchDuring(`${url()}?${marker}`, { connections: 16 }, async () => {
      // The proxy skips a server for a moment after it failed in the test before
      await waitUntilEachServed(stack, "back-end", marker);
      await fail(server.id);
      await waitUntil(async () => (await linesOf("proxy", marker)).map(traced).some(isRetried), {
        for: "a request to be retried",
        timeoutMs: 20_000,
      });
      await restore?.(server.id);
    });

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const requests = (await waitForLines("proxy", marker, answers.length)).map(traced);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(answers.length);
    const retried = requests.filter(isRetried);
    expect(retried).not.toEqual([]);
    for (const { servers, statuses } of retried) {
      expect({ servers, statuses }).toEqual({
        servers: [failing, expect.not.stringContaining(failing)],
        statuses: [expect.stringMatching(/^50[24]$/), "200"],
      });
    }
    // The last lines of a killed server are lost; see README.md
    const expected = requests
      .filter(({ servers }) => restore !== undefined || servers.at(-1) !== failing)
      .map(({ id }) => id);
    const logged = await waitForLines("back-end", marker, expected.length);
    const ids = new Set(logged.map((line) => line.split(" ").at(-1) ?? ""));
    expect(expected.filter((id) => !ids.has(id))).toEqual([]);
  });
});
