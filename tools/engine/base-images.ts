import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import path from "node:path";
import { debianMirror } from "../lib/apt";
import { argv } from "../lib/argv";
import { officialImages, standInLabel } from "../lib/docker";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions, run } from "../lib/run";

/** The official images that the steps build on, and the folder with the stand-in for each. */
const baseImages: Record<string, string> = {
  "ubuntu:latest": "ubuntu",
  "nginx:latest": "nginx",
  "node:24-slim": "node",
  "redis:8": "redis",
  // For the machine in which the grader works
  "debian:trixie-slim": "debian-slim",
};

const folder = path.join(__dirname, "stand-ins");

/**
 * Gives an engine of this project the base images: pulled from a registry or, if none responds,
 * stand-ins built from distribution and npm packages.
 *
 * Never call it for another engine: a stand-in has the official image's name.
 * @returns The names of the images that are stand-ins.
 * @throws {UserError} if there is neither a registry nor a Debian mirror.
 */
export async function ensureBaseImages(report: Report, signal: AbortSignal): Promise<string[]> {
  const options = { signal, onLine: report.detail };
  const names = Object.keys(baseImages);
  const present = await officialImages(names, options);
  const missing = names.filter((image) => !present.has(image));
  for (const [index, image] of missing.entries()) {
    report(`pulling ${image}`);
    const pull = { ...options, timeoutMs: 300_000 };
    const { ok, stderr } = await attempt("docker", ["pull", "-q", image], pull);
    signal.throwIfAborted();
    if (ok) continue;
    report(`no image registry responds (${stderr.trim().split(": ").at(-1)}): building stand-ins`);
    await buildStandIns(missing.slice(index), report, options);
    break;
  }
  const images = missing.length === 0 ? present : await officialImages(names, options);
  return [...images].filter(([, isStandIn]) => isStandIn).map(([image]) => image);
}

async function buildStandIns(
  images: readonly string[],
  report: Report,
  options: RunOptions,
): Promise<void> {
  const mirror = await debianMirror();
  if (mirror === undefined) {
    throw new UserError(
      "no image registry responds, and stand-ins need a Debian mirror in the apt sources.",
    );
  }
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-"));
  try {
    report("debootstrap: a minimal Debian trixie");
    await importDebian(mirror, scratch, options);
    for (const image of images) {
      report(`building the stand-in for ${image}`);
      const standIn = baseImages[image] ?? "";
      const args = [`--label=${standInLabel}=${image}`];
      if (standIn === "nginx") args.push(`--build-arg=MIRROR=${mirror}`);
      if (standIn === "node") {
        const packages = argv`node-linux-${arch()}@24 npm@11`;
        const install = argv`install --no-save --ignore-scripts --prefix ${scratch} ${packages}`;
        await run("npm", install, options);
        args.push(`--build-context=packages=${path.join(scratch, "node_modules")}`);
      }
      const build = argv`build --load -t ${image} ${args} ${path.join(folder, standIn)}`;
      await run("docker", build, options);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Builds `softy-pinko-debian`, the base of every stand-in. */
async function importDebian(mirror: string, scratch: string, options: RunOptions): Promise<void> {
  const root = path.join(scratch, "debian");
  const archive = path.join(scratch, "debian.tar");
  await run("debootstrap", argv`--variant=minbase trixie ${root} ${mirror}`, options);
  await rm(path.join(root, "var/cache/apt/archives"), { recursive: true });
  await rm(path.join(root, "var/lib/apt/lists"), { recursive: true });
  await run("tar", argv`--numeric-owner -C ${root} -cf ${archive} .`, options);
  await run("docker", argv`import ${archive} softy-pinko-debootstrap`, options);

  const context = path.join(scratch, "context");
  const certificates = path.join(context, "ca-certificates.crt");
  await cp(path.join(folder, "debian"), context, { recursive: true });
  await copyFile("/etc/ssl/certs/ca-certificates.crt", certificates);
  await run("docker", argv`build --load -q -t softy-pinko-debian ${context}`, options);
}
