import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Point } from "../../tools/grader/point";
import { type Port, usePorts } from "../lib/grader-fixtures";

const portOf = usePorts();

const failuresOf = (points: readonly Point[]): Point[] =>
  points.filter(({ verdict }) => verdict === "fail");

const utf16 = Buffer.from("\uFEFFservices: {}\n", "utf16le");
const compose = "docker-compose.yml";
const conf = "front-end/softy-pinko-front-end.conf";
const page = "front-end/softy-pinko-front-end/index.html";
const bomb = Array.from({ length: 9 }, (_, n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(n && 9)}]`);

describe("the reading phase", () => {
  it.each<[string, string, string, string | Buffer, RegExp]>([
    ["compose", "UTF-16", compose, utf16, /^it is UTF-16; save it as UTF-8$/],
    [
      "compose",
      "UTF-16BE",
      compose,
      Buffer.from(utf16).swap16(),
      /^it is UTF-16; save it as UTF-8$/,
    ],
    ["compose", "too large", compose, `#${"#".repeat(2_000_000)}`, /^it is larger than 100 kB$/],
    ["compose", "an alias bomb", compose, bomb.join("\n"), /^its aliases unfold without measure$/],
    [
      "compose",
      "nested deeply",
      compose,
      `a: ${"[".repeat(300)}`,
      /more than 200 opening brackets/,
    ],
    ["compose", "not YAML", compose, "services:\n  a: [\n", /^it is no.* YAML: Flow sequence/],
    ["compose", "tagged", compose, "include: !!binary L2V0Yw==\n", /YAML: Unresolved tag/],
    ["dockerfile", "UTF-16", "back-end/Dockerfile", utf16, /^it is UTF-16; save it as UTF-8$/],
    [
      "dockerfile",
      "without FROM",
      "back-end/Dockerfile",
      "RUN a\n",
      /^RUN .* before the first FROM$/,
    ],
    ["conf", "not text", conf, "a b;\0", /^it holds zero bytes/],
    ["conf", "nested deeply", conf, "a {".repeat(1_000), /^blocks are more than 50 deep$/],
    [
      "heading",
      "nested deeply",
      page,
      "<div>".repeat(1_000),
      /^its elements are more than 200 levels/,
    ],
    ["script", "too large", page, "a".repeat(1_500_000), /^it is larger than 1000 kB$/],
  ])("fails the point '%s' if its file is %s", async (id, _, file, text, cause) => {
    const port = await portOf("task4");
    await port.write({ [`task4/${file}`]: text });
    const points = await port.read("task4");
    expect(points.find((point) => point.id === `task4.${id}`)).toMatchObject({
      verdict: "fail",
      cause: expect.stringMatching(cause),
      file: `task4/${file}`,
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
    const link = async ({ folder }: Port, file: string): Promise<void> => {
      await port.remove(file).catch(() => undefined);
      symlinkSync("/etc/passwd", path.join(folder, file));
    };
    const files = [compose, "2-api-servers.txt", ".env", "back-end/Dockerfile", page];
    for (const file of files) await link(port, `task6/${file}`);
    const points = await port.read("task6");
    const ids = ["task6.command-file", "task6.compose", "task6.dockerfile", "task6.heading"];
    expect(failuresOf(points).map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    expect(JSON.stringify(points)).not.toMatch(/root:|daemon/);
  });
});
