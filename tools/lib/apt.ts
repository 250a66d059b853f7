import { readFile } from "node:fs/promises";
import { argv } from "./argv";
import { attempt, type RunOptions, run } from "./run";

/** @returns Whether this process may install distribution packages: root, on Debian or Ubuntu. */
export async function canInstallPackages(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return isLike(await osRelease(), "debian");
}

/** @returns Whether a distribution, by its os-release, is another one or derived from it. */
export function isLike({ ID, ID_LIKE = "" }: Record<string, string>, other: string): boolean {
  return [ID, ...ID_LIKE.split(" ")].includes(other);
}

/** @returns The fields of os-release, such as `ID` and `VERSION_CODENAME`; none without the file. */
export async function osRelease(): Promise<Record<string, string>> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return Object.fromEntries(
    Array.from(text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm), ([, key, value]) => [key, value]),
  );
}

export async function updatePackageLists(options: RunOptions): Promise<void> {
  await run("apt-get", argv`-q update`, options);
}

/**
 * Updates the package lists and installs packages without prompts.
 * @param packages Names; `name/release` takes one from another release.
 * @throws {CommandError} with the output of apt.
 */
export async function installPackages(
  packages: readonly string[],
  options: RunOptions,
): Promise<void> {
  await updatePackageLists(options);
  const quiet = argv`-q -y --no-install-recommends -o DPkg::Lock::Timeout=120`;
  const env = { ...options.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", [...quiet, "install", ...packages], { ...options, env });
}

/** @returns The Debian mirror that apt uses, if there is one. Needs the package lists. */
export async function debianMirror(): Promise<string | undefined> {
  const { stdout } = await attempt(
    "apt-get",
    argv`indextargets --format ${"$(LABEL)\t$(REPO_URI)"}`,
  );
  return /^Debian\t(.*)$/m.exec(stdout)?.[1];
}
