import { writeFile } from "node:fs/promises";
import { debianMirror, installPackages, osRelease, updatePackageLists } from "../lib/apt";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";

const packages = {
  debian: ["docker.io", "docker-cli", "docker-compose", "docker-buildx", "iptables", "debootstrap"],
  ubuntu: ["docker.io", "docker-compose-v2", "docker-buildx", "iptables", "debootstrap"],
};

/**
 * Debian releases whose own Docker is too old; they take it from trixie. Its packages need no
 * newer libc than bookworm has, so nothing else on the machine is replaced.
 */
const tooOld = ["bookworm"];

/**
 * Installs the distribution's Docker engine, Compose and buildx, and debootstrap.
 * Needs {@link canInstallPackages}.
 * @throws {CommandError} with apt's own words when a package cannot be had.
 */
export async function installEngine(report: Report, signal: AbortSignal): Promise<void> {
  const options = { signal, onLine: report.detail };
  const { ID, VERSION_CODENAME = "" } = await osRelease();

  report("updating the package lists");
  await updatePackageLists(options);

  let wanted = ID === "ubuntu" ? packages.ubuntu : packages.debian;
  if (tooOld.includes(VERSION_CODENAME)) {
    report(`adding Debian trixie as a source: ${VERSION_CODENAME}'s Docker is too old`);
    await addTrixie();
    await updatePackageLists(options);
    wanted = wanted.map((name) => (name.startsWith("docker") ? `${name}/trixie` : name));
  }

  report(`installing ${wanted.join(" ")}`);
  await installPackages(wanted, options);
}

/** Adds trixie behind everything else, so that only what is asked for by name comes from it. */
async function addTrixie(): Promise<void> {
  const mirror = await debianMirror();
  if (mirror === undefined) {
    throw new UserError("apt has no Debian mirror: add one to /etc/apt/sources.list.d.");
  }
  await writeFile(
    "/etc/apt/sources.list.d/softy-pinko-engine.sources",
    [
      "Types: deb",
      `URIs: ${mirror}`,
      "Suites: trixie",
      "Components: main",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
    ].join("\n"),
  );
  await writeFile(
    "/etc/apt/preferences.d/softy-pinko-engine",
    "Package: *\nPin: release n=trixie\nPin-Priority: 50\n",
  );
}
