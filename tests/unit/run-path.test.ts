import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { leaveRepository } from "../../tools/grader/leave";
import { attempt, type RunOptions } from "../../tools/lib/run";

const sh = (script: string, options?: RunOptions) => attempt("sh", ["-c", script], options);

describe("PATH", () => {
  let top = "";
  let cwd = "";
  const bin = () => path.join(top, "node_modules/.bin");
  const record = () => path.join(top, "record");
  const callersPath = process.env.PATH ?? "";

  beforeAll(() => {
    top = mkdtempSync(path.join(tmpdir(), "run-test-"));
    cwd = path.join(top, "repository");
    for (const folder of [cwd, path.join(cwd, "node_modules/.bin"), bin()]) {
      mkdirSync(folder, { recursive: true });
      for (const name of ["sh", "planted"]) {
        const script = `#!/bin/sh\necho "$0" >> ${record()}\n`;
        writeFileSync(path.join(folder, name), script, { mode: 0o755 });
      }
    }
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(record(), { force: true });
  });
  afterAll(() => rmSync(top, { recursive: true }));

  it("reaches the program unchanged", async () => {
    const { stdout } = await sh("echo $PATH", { cwd });
    expect(stdout).toBe(callersPath.split(":").filter(path.isAbsolute).join(":"));
  });

  it("may be called Path, as on Windows", async () => {
    vi.stubEnv("PATH", undefined);
    vi.stubEnv("Path", `.:${bin()}:${callersPath}`);
    const show = await attempt("/bin/sh", ["-c", "echo $PATH"], { cwd });
    expect(show.stdout).toMatch(new RegExp(`^${bin()}:/`));
    await attempt("planted", [], { cwd });
    const here = process.cwd();
    leaveRepository(top);
    process.chdir(here);
    await attempt("planted", [], { cwd });
    expect(readFileSync(record(), "utf8")).toBe(`${bin()}/planted\n`);
  });

  it("finds a program in an absolute folder", async () => {
    await attempt("planted", [], { env: { PATH: `/nowhere:${bin()}:${callersPath}` } });
    expect(existsSync(record())).toBe(true);
  });

  it.each([
    callersPath,
    `.:${callersPath}`,
    `:${callersPath}`,
    `/nowhere:${callersPath}:`,
    `/nowhere::${callersPath}`,
    `node_modules/.bin:./node_modules/.bin:${callersPath}`,
    `../node_modules/.bin:${callersPath}`,
    ".:node_modules/.bin",
    "",
  ])("does not find programs in the working directory: %j", async (PATH) => {
    const tryAll = (options: RunOptions) =>
      Promise.all(
        ["sh", "planted"].flatMap((name) => [
          attempt(name, ["--version"], options),
          attempt("/bin/sh", ["-c", `${name} --version`], options),
        ]),
      );
    await tryAll({ cwd, env: { PATH } });
    vi.stubEnv("PATH", PATH);
    await tryAll({ cwd });
    expect(existsSync(record())).toBe(false);
  });

  it.each(["./planted", "node_modules/.bin/planted", "../node_modules/.bin/planted"])(
    "is needed to find %s",
    async (command) => {
      const stderr = expect.stringContaining("ENOENT");
      expect(await attempt(command, [], { cwd })).toMatchObject({ ok: false, stderr });
      expect(existsSync(record())).toBe(false);
    },
  );
});
