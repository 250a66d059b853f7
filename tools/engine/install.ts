import { writeFile } from "node:fs/promises";
import { debianMirror, installPackages, updatePackageLists } from "../lib/apt";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";

/**
 * Installs packages of the distribution's Docker engine, Compose and buildx. Debian bookworm's Docker
 * is too old: it gets trixie's, which runs with bookworm's libc, so nothing else is replaced.
 * @param os The fields of os-release.
 * @throws {CommandError} with the output of apt.
 */
export async function installEngine(
  packages: readonly string[],
  os: Record<string, string>,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, onLine: report.detail };
  let names = packages;
  // Linux Mint's Debian edition has a code name of its own
  if ((os.DEBIAN_CODENAME ?? os.VERSION_CODENAME) === "bookworm") {
    report("adding Debian trixie to the apt sources: bookworm's Docker is too old");
    await updatePackageLists(options);
    await addTrixie();
    names = packages.map((name) => (name.startsWith("docker") ? `${name}/trixie` : name));
  }
  report(`installing ${names.join(" ")}`);
  await installPackages(names, options);
}

/** Adds trixie with a low priority: apt takes only packages from it that are requested by release. */
async function addTrixie(): Promise<void> {
  const mirror = await debianMirror();
  if (mirror === undefined) {
    throw new UserError("apt has no Debian mirror: add one to /etc/apt/sources.list.d.");
  }
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  await writeFile(
    "/etc/apt/sources.list.d/softy-pinko-engine.sources",
    `Types: deb\nURIs: ${mirror}\nSuites: trixie\nComponents: main\nSigned-By: ${keyring}\n`,
  );
  await writeFile(
    "/etc/apt/preferences.d/softy-pinko-engine",
    "Package: *\nPin: release n=trixie\nPin-Priority: 50\n",
  );
}
