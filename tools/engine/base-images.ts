import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, cp, mkdtemp, rm } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import path from "node:path";
import { debianMirror } from "../lib/apt";
import { UserError } from "../lib/errors";
import type { Report } from "../lib/progress";
import { attempt, type RunOptions, run } from "../lib/run";

/** The official images that the steps build on, and what stands in for each. */
const baseImages = [
  { image: "ubuntu:latest", standIn: "ubuntu" },
  { image: "nginx:latest", standIn: "nginx" },
  { image: "node:24-slim", standIn: "node" },
  { image: "redis:8", standIn: "redis" },
  // For the machine in which the grader works
  { image: "debian:trixie-slim", standIn: "debian-slim" },
] as const;

const standIns = path.join(__dirname, "stand-ins");
const certificates = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Sees to it that an engine of our own has the base images: pulled where an image registry can be
 * reached, stand-ins made from distribution and npm packages where none can.
 *
 * Never call it for an engine that is not ours: a stand-in takes the official image's name.
 * @returns The names of the images that are stand-ins.
 * @throws {UserError} where there is neither a registry nor a Debian mirror.
 */
export async function ensureBaseImages(report: Report, signal: AbortSignal): Promise<string[]> {
  const options = { signal, onLine: report.detail };
  const present = await presentImages();
  const missing = baseImages.filter(({ image }) => !present.has(image));
  for (const [index, { image }] of missing.entries()) {
    report(`pulling ${image}`);
    const pulled = await attempt("docker", ["pull", "-q", image], {
      ...options,
      timeoutMs: 300_000,
    });
    signal.throwIfAborted();
    if (pulled.ok) continue;
    const reason = pulled.stderr.trim().split(": ").at(-1);
    report(`no image registry answers (${reason}): making stand-ins`);
    await makeStandIns(missing.slice(index), report, options);
    break;
  }
  const now = missing.length === 0 ? present : await presentImages();
  return [...now].filter(([, isStandIn]) => isStandIn).map(([image]) => image);
}

/**
 * @returns The base images that the engine has, and whether each is a stand-in. One made by another
 *   version of our files does not count.
 */
async function presentImages(): Promise<Map<string, boolean>> {
  const names = baseImages.map(({ image }) => image);
  const labels = ["softy-pinko.stand-in", "softy-pinko.stand-in.version"];
  // Fails when one is missing, but still prints the others
  const { stdout } = await attempt("docker", [
    ...["image", "inspect", ...names],
    `--format={{join .RepoTags " "}}${labels.map((name) => `\t{{index .Config.Labels "${name}"}}`).join("")}`,
  ]);
  const current = versionOfStandIns();
  const present = new Map<string, boolean>();
  for (const [tags = "", standIn, version] of stdout.split("\n").map((line) => line.split("\t"))) {
    const name = names.find((candidate) => tags.split(" ").includes(candidate));
    const isStandIn = standIn !== "";
    if (name !== undefined && (!isStandIn || version === current)) present.set(name, isStandIn);
  }
  return present;
}

/** A fingerprint of the files that the stand-ins are made from. */
function versionOfStandIns(): string {
  const hash = createHash("sha256");
  const files = readdirSync(standIns, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

async function makeStandIns(
  wanted: readonly (typeof baseImages)[number][],
  report: Report,
  options: RunOptions,
): Promise<void> {
  const mirror = await debianMirror();
  if (mirror === undefined) {
    throw new UserError(
      "no image registry can be reached, and without a Debian mirror no stand-in can be made.",
    );
  }
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-"));
  try {
    report("debootstrap: a bare Debian trixie");
    await importDebian(mirror, scratch, options);
    for (const { image, standIn } of wanted) {
      report(`building the stand-in for ${image}`);
      const packages = path.join(scratch, "packages");
      if (standIn === "node") await fetchNode(packages, options);
      await build(image, standIn, options, [
        ...(standIn === "node" ? [`--build-context=packages=${packages}`] : []),
        ...(standIn === "nginx" ? [`--build-arg=MIRROR=${mirror}`] : []),
      ]);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Makes `softy-pinko-debian`, on which every stand-in is built. */
async function importDebian(mirror: string, scratch: string, options: RunOptions): Promise<void> {
  const root = path.join(scratch, "debian");
  const archive = path.join(scratch, "debian.tar");
  await run("debootstrap", ["--variant=minbase", "trixie", root, mirror], options);
  await rm(path.join(root, "var/cache/apt/archives"), { recursive: true });
  await rm(path.join(root, "var/lib/apt/lists"), { recursive: true });
  await run("tar", ["--numeric-owner", "-C", root, "-cf", archive, "."], options);
  await run("docker", ["import", archive, "softy-pinko-debootstrap"], options);

  const context = path.join(scratch, "context");
  await cp(path.join(standIns, "debian"), context, { recursive: true });
  await copyFile(certificates, path.join(context, "ca-certificates.crt"));
  await run("docker", ["build", "-q", "-t", "softy-pinko-debian", context], options);
}

/** Fetches the official Node.js 24 binary and npm with this machine's own npm. */
async function fetchNode(folder: string, options: RunOptions): Promise<void> {
  const binary = `node-linux-${arch()}`;
  await run(
    "npm",
    ["install", "--no-save", "--ignore-scripts", "--prefix", folder, `${binary}@24`, "npm@11"],
    options,
  );
  const modules = path.join(folder, "node_modules");
  await cp(path.join(modules, binary, "bin/node"), path.join(folder, "node"));
  await cp(path.join(modules, "npm"), path.join(folder, "npm"), { recursive: true });
  await rm(modules, { recursive: true });
}

async function build(
  image: string,
  standIn: string,
  options: RunOptions,
  args: readonly string[],
): Promise<void> {
  const label = `--label=softy-pinko.stand-in.version=${versionOfStandIns()}`;
  const context = path.join(standIns, standIn);
  await run("docker", ["build", "-t", image, label, ...args, context], options);
}
