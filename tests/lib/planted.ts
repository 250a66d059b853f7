import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { argv } from "../../tools/lib/argv";
import { run } from "../../tools/lib/run";
import type { Port } from "./grader-fixtures";

const programs = argv`git docker docker-compose docker-buildx docker-credential-spy npm chromium
  setpriv sh node`;

/** Puts programs and configuration into a folder that record in `proof` that they were used. */
export async function plant(folder: string, proof: string): Promise<void> {
  const config = '{ "credsStore": "spy", "cliPluginsExtraDirs": ["."] }';
  await mkdir(path.join(folder, ".docker"), { recursive: true });
  await writeFile(path.join(folder, ".docker/config.json"), config);
  const variables = ["COMPOSE_EXPERIMENTAL_GIT_REMOTE=true", "DOCKER_HOST=tcp://127.0.0.1:1"];
  await writeFile(path.join(folder, ".env"), [...variables, "COMPOSE_FILE=x\n"].join("\n"));
  for (const place of [folder, path.join(folder, "node_modules/.bin")]) {
    await mkdir(place, { recursive: true });
    for (const program of programs) {
      const file = path.join(place, program);
      const record = path.join(proof, file.replaceAll("/", "_"));
      const script = `#!/bin/sh\necho "$@" > ${record}\n`;
      if (!existsSync(file)) await writeFile(file, script, { mode: 0o755 });
    }
  }
}

/** Makes git repositories whose configuration runs commands: an archive can hold such. */
export async function plantGit(port: Port, proof: string): Promise<void> {
  const spy = `touch ${proof}/fsmonitor`;
  await run("git", argv`init --quiet ${port.folder}`);
  await run("git", argv`-C ${port.folder} config core.fsmonitor ${spy}`);
  await run("git", argv`init --quiet ${path.join(port.folder, "task0")}`);
  await port.write({
    // A lazy clone without its commit: git fetches it from the remote, by running a command
    "task0/.git/HEAD": `${"1".repeat(40)}\n`,
    "task0/.git/config": `[core]
repositoryformatversion = 1
[extensions]
partialClone = origin
[remote "origin"]
promisor = true
url = ext::sh -c "touch% ${proof}/promisor"
[protocol "ext"]
allow = always
`,
  });
}

/** Starts a server that only programs in this machine's own network can reach. */
export async function listenOnLoopback() {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end("TOP-SECRET");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/secret`,
    requests: () => requests,
    close: () => server.close(),
  };
}
