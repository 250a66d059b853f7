import { writeFile } from "node:fs/promises";
import { debianMirror, installPackages, osRelease, updatePackageLists } from "../lib/apt";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";

const packages = {
  debian: ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "iptables", "debootstrap"],
  ubuntu: ["docker.io", "docker-compose-v2", "docker-buildx", "iptables", "debootstrap"],
};

/**
 * Installs the distribution's Docker engine, Compose and buildx, and debootstrap. Debian bookworm's
 * Docker is too old: it gets trixie's, which runs with bookworm's libc, so nothing else is replaced.
 * @throws {CommandError} with the output of apt.
 */
export async function installEngine(report: Report, signal: AbortSignal): Promise<void> {
  const options = { signal, onLine: report.detail };
  const { ID, VERSION_CODENAME } = await osRelease();
  let names = ID === "ubuntu" ? packages.ubuntu : packages.debian;
  if (VERSION_CODENAME === "bookworm") {
    report("adding Debian trixie to the apt sources: bookworm's Docker is too old");
    await updatePackageLists(options);
    await addTrixie();
    names = names.map((name) => (name.startsWith("docker") ? `${name}/trixie` : name));
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
