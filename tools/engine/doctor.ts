import { findChromium } from "../lib/chromium";
import { commandLine, main } from "../lib/cli";
import { type Docker, findDocker, refuseUnusable, requireDocker } from "../lib/find-docker";
import { isInUse } from "../lib/ports";
import { daemonPid } from "./daemon";
import { inspectMachine, planStart } from "./start-plan";

/** The ports of the steps, in the order of the course. */
const ports = [5252, 9000, 80, 443, 5002];

main(async () => {
  commandLine("npm run doctor")
    .description(
      "Shows what the commands find on this machine, and what is missing. Changes nothing.",
    )
    .parse();
  const docker = await findDocker();
  const busy = await Promise.all(ports.map(isInUse));
  const rows = [
    ["Node.js", process.version.slice(1)],
    ["docker", docker.client ?? "not found"],
    ["Docker Engine", describeEngine(docker)],
    ["Compose", docker.compose && `${docker.compose.version}, ${docker.compose.command.join(" ")}`],
    ["buildx", docker.buildx],
    ["ports", ports.map((port, index) => `${port} ${busy[index] ? "in use" : "free"}`).join(", ")],
    ["Chromium", findChromium()],
    ["proxy settings", proxySettings()],
  ];
  const table = rows.map(([name = "", value]) => `${name.padEnd(16)}${value ?? "not found"}\n`);
  process.stdout.write(table.join(""));

  refuseUnusable(docker);
  if (docker.engine === undefined) {
    const packages = planStart(docker, await inspectMachine());
    const plan = packages.length === 0 ? "" : `install ${packages.join(" ")} and `;
    process.stdout.write(`\nThe commands will ${plan}start the Docker engine.\n`);
    return undefined;
  }
  requireDocker(docker);
  process.stdout.write("\nNothing is missing.\n");
  return undefined;
});

function describeEngine({ engine, endpoint, isPodman, isRootless, isSnap }: Docker): string {
  if (engine === undefined) return `does not respond at ${endpoint}`;
  const kinds = [
    isPodman && "Podman",
    isRootless && "rootless",
    isSnap && "from snap",
    daemonPid() !== undefined && "started by this project",
  ].filter(Boolean);
  return [`${engine} at ${endpoint}`, ...kinds].join(", ");
}

function proxySettings(): string {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]);
  const set = names.filter((name) => process.env[name] !== undefined);
  // The output is made to be shown to others, so without a password
  const shown = (name: string): string => String(process.env[name]).replace(/\/\/[^@/]*@/, "//…@");
  return set.map((name) => `${name}=${shown(name)}`).join(" ") || "none";
}
