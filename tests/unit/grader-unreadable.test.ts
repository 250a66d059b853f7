import { describe, expect, it } from "vitest";
import { grading } from "../../tools/grader/grade";
import type { Point } from "../../tools/grader/point";
import { Port, withTasks } from "../lib/grader-fixtures";

const report = Object.assign(() => undefined, { detail: () => undefined });

/** Has a task4 read, without Docker, once one of its files has another text. */
async function readWith(file: string, text: string | Buffer): Promise<Point[]> {
  const port = await Port.of("task4");
  try {
    await port.write({ [`task4/${file}`]: text });
    const { signal } = new AbortController();
    const sandbox = { prefix: "unread", signal, report, buildTimeoutMs: 1 };
    return await withTasks(port.folder, async (folders) => {
      const graded = grading("task4", folders.get("task4"), sandbox);
      await graded.read();
      return graded.report().points;
    });
  } finally {
    await port.remove(".");
  }
}

const utf16 = Buffer.from("\uFEFFservices: {}\n", "utf16le");
const composeFile = "docker-compose.yml";
const page = "front-end/softy-pinko-front-end/index.html";
const bomb = Array.from({ length: 9 }, (_, n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(n && 9)}]`);

describe("a file that the grader cannot read", () => {
  it.each([
    [composeFile, "in UTF-16", utf16, "compose", "it is UTF-16; save it as UTF-8"],
    [
      composeFile,
      "in UTF-16, the other way",
      utf16.swap16(),
      "compose",
      "it is UTF-16; save it as UTF-8",
    ],
    [
      composeFile,
      "too large",
      `services: {}\n${"#".repeat(2_000_000)}`,
      "compose",
      "it is larger than 100 kB",
    ],
    [
      composeFile,
      "an alias bomb",
      bomb.join("\n"),
      "compose",
      "its aliases expand to too many values",
    ],
    [
      composeFile,
      "deep",
      `a: ${"[".repeat(300)}`,
      "compose",
      /^it is not valid YAML: Flow sequence/,
    ],
    [
      composeFile,
      "no YAML",
      "services:\n  a: [\n",
      "compose",
      /^it is not valid YAML: Flow sequence/,
    ],
    [
      composeFile,
      "a tag",
      "include: !!binary L2V0Yw==\n",
      "compose",
      /^it is not valid YAML: Unresolved tag/,
    ],
    ["back-end/Dockerfile", "in UTF-16", utf16, "dockerfile", "it is UTF-16; save it as UTF-8"],
    [
      "back-end/Dockerfile",
      "without FROM",
      "RUN a\n",
      "dockerfile",
      "RUN comes before the first FROM",
    ],
    [
      "front-end/softy-pinko-front-end.conf",
      "with zero bytes",
      "a b;\0",
      "conf",
      /^it contains NUL bytes/,
    ],
    [
      "front-end/softy-pinko-front-end.conf",
      "deep",
      "a {".repeat(1_000),
      "conf",
      "blocks are more than 50 deep",
    ],
    [page, "too large", "a".repeat(1_500_000), "script", "it is larger than 1000 kB"],
  ])("%s %s fails its point", async (file, _, text, id, cause) => {
    const points = await readWith(file, text);
    const expected = typeof cause === "string" ? cause : expect.stringMatching(cause);
    expect(points.find((point) => point.id === `task4.${id}`)).toMatchObject({
      ...{ verdict: "fail", cause: expected, file: `task4/${file}` },
    });
  });
});
