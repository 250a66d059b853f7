import { expect, it } from "vitest";
import { steps } from "../../tools/lib/course";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { fencesIn } from "./rules/markdown";

it("docs/architecture.md draws every tool and every stack", async () => {
  const drawing = fencesIn(readRepositoryFile("docs/architecture.md")).fences[0]?.text;
  const files = await listRepositoryFiles();
  const tools = files.flatMap((file) => /^tools\/([\w-]+)\//.exec(file)?.[1] ?? []);
  const drawn = Array.from(drawing?.matchAll(/\["([\w-]+)/g) ?? [], ([, name]) => name);
  const all = [...new Set([...tools, ...steps.map(({ name }) => name)])];
  expect(all).toEqual(expect.arrayContaining(["engine", "production"]));
  expect(all.filter((name) => !drawn.includes(name))).toEqual([]);
});
