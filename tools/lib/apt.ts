import { readFile } from "node:fs/promises";
import { attempt, type RunOptions, run } from "./run";

/** @returns Whether this process may install distribution packages: root, on Debian or Ubuntu. */
export async function canInstallPackages(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const { ID, ID_LIKE = "" } = await osRelease();
  return [ID, ...ID_LIKE.split(" ")].includes("debian");
}

/**
 * Reads os-release.
 * @returns Its fields, such as `ID` and `VERSION_CODENAME`; none where there is no such file.
 */
export async function osRelease(): Promise<Record<string, string>> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return Object.fromEntries(
    Array.from(text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm), ([, key, value]) => [key, value]),
  );
}

/** Brings the package lists up to date. */
export async function updatePackageLists(options: RunOptions): Promise<void> {
  await run("apt-get", ["-q", "update"], options);
}

/**
 * Installs distribution packages without asking anything.
 * @param packages Names, each with `/release` where another release is meant.
 * @throws {CommandError} with apt's own words.
 */
export async function installPackages(
  packages: readonly string[],
  options: RunOptions,
): Promise<void> {
  const waitForOtherApt = ["-o", "DPkg::Lock::Timeout=120"];
  await run(
    "apt-get",
    ["-q", "-y", "--no-install-recommends", ...waitForOtherApt, "install", ...packages],
    { ...options, env: { ...options.env, DEBIAN_FRONTEND: "noninteractive" } },
  );
}

/**
 * Finds the mirror that this machine already takes Debian's packages from.
 * @returns Its address, or undefined where apt knows no Debian mirror.
 */
export async function debianMirror(): Promise<string | undefined> {
  const targets = await attempt("apt-get", ["indextargets", "--format", "$(LABEL)\t$(REPO_URI)"]);
  const debian = targets.stdout.split("\n").find((line) => line.startsWith("Debian\t"));
  return debian?.split("\t")[1];
}
