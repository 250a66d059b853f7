import { existsSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { type Contender, contenders, stacksFolder, versionIn } from "../../tools/bench/contenders";
import { loadFileOf, withoutLogsFileOf } from "../../tools/bench/deployment";
import { readRepositoryFile } from "../lib/task-files";

interface ComposeFile {
  services: Record<string, { networks?: unknown; build?: { context?: string } }>;
  networks?: Record<string, unknown>;
}

it.each(Object.entries<Contender>(contenders))(
  "the contender %s names what its folder has, and gets a load generator on its network only",
  (_, contender) => {
    const { folder, overlay, network, programs } = contender;
    const file = readRepositoryFile(`${folder}/docker-compose.yml`);
    const base = parse(file, { merge: true }) as ComposeFile;
    expect(existsSync(path.join(stacksFolder, overlay ?? ""))).toBe(true);
    const used = ["proxy", ...programs.map(({ service }) => service)];
    expect(Object.keys(base.services)).toEqual(expect.arrayContaining(used));
    expect(["default", ...Object.keys(base.networks ?? {})]).toContain(network);
    const { services } = JSON.parse(loadFileOf(contender)) as ComposeFile;
    expect(services).toMatchObject({ load: { networks: [network] } });
    expect(existsSync(path.join(services.load?.build?.context ?? "", "Dockerfile"))).toBe(true);
  },
);

it("without logs, a contender has images that are built from its own", () => {
  const { services } = JSON.parse(withoutLogsFileOf("bench-caddy")) as ComposeFile;
  expect(Object.keys(services)).toEqual(["back-end", "proxy"]);
  expect(services.proxy).toMatchObject({
    image: "bench-caddy-proxy-without-logs",
    build: { args: { BASE: "bench-caddy-proxy" } },
  });
  expect(existsSync(path.join(services.proxy?.build?.context ?? "", "Dockerfile"))).toBe(true);
});

it.each([
  ["nginx version: nginx/1.30.6", "1.30.6"],
  ["HAProxy version 3.0.11-1+deb13u3 2026/05/11 - https://haproxy.org/", "3.0.11"],
  ["v24.11.1", "24.11.1"],
  ["node: not found", undefined],
])("in %j is the version %s", (output, version) => {
  expect(versionIn(output)).toBe(version);
});
