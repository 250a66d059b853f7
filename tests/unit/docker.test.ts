import { expect, it, vi } from "vitest";
import { isAtLeast, requireImage } from "../../tools/lib/docker";
import { fakeMachine } from "../lib/fake-machine";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";

it.each([
  ["25.0", "25.0", true],
  ["26.1.5+dfsg1", "25.0", true],
  ["25", "25.0", true],
  ["2.24.0-desktop.1", "2.24", true],
  ["2.100.0", "2.24", true],
  ["24.0.9", "25.0", false],
  ["2.9.0", "2.24", false],
  ["2", "2.24", false],
  ["", "25.0", false],
])("version %s is at least %s: %s", (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});

it("an image that a builder kept to itself is missed", async () => {
  const { PATH, remove } = fakeMachine({ engine: "28.5.2" });
  vi.stubEnv("PATH", PATH);
  await expect(requireImage("softy-pinko:task0", {})).rejects.toThrow(
    "the build left no image softy-pinko:task0: docker buildx use default.",
  );
  vi.unstubAllEnvs();
  remove();
});

it("each build on the user's engine asks for its image, which a builder in a container keeps", async () => {
  // The grader's own machine has no other builder
  const files = (await listRepositoryFiles()).filter((file) =>
    /^tools\/(?!grader\/build)/.test(file),
  );
  const builds = files.flatMap(
    (file) => readRepositoryFile(file).match(/argv`build\b.* -(t|-tag)\b.*/g) ?? [],
  );
  expect(builds).toHaveLength(4);
  expect(builds.filter((build) => !build.includes("--load"))).toEqual([]);
});
