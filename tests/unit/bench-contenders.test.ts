import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  benchLabel,
  contenderNames,
  contenders,
  findContender,
  loadService,
  projectFile,
  stackOf,
  versionIn,
} from "../../tools/bench/contenders";
import { root } from "../../tools/lib/course";
import { readRepositoryFile } from "../lib/task-files";

interface ComposeFile {
  services: Record<string, { image?: string; build?: unknown; networks?: unknown }>;
  networks?: Record<string, unknown>;
}

const first = (folder: string): ComposeFile =>
  parse(readRepositoryFile(`${folder}/docker-compose.yml`), { merge: true }) as ComposeFile;

describe("the contenders", () => {
  it("are those of the names, in that order", () => {
    expect(contenders.map(({ name }) => name)).toEqual(contenderNames);
    expect(contenders.map(({ name }) => findContender(name).name)).toEqual(contenderNames);
  });

  it("are refused by a name that is nobody's", () => {
    expect(() => findContender("apache" as "nginx")).toThrow("There is no contender apache");
  });

  it("are compared with two servers, and measured with others too", () => {
    for (const { name, scales } of contenders) {
      expect(scales, name).toEqual(name === "nginx" ? [1] : [2, 1, 4, 8]);
    }
  });

  it.each(contenders)(
    "$name has all its files, and services and networks of these names",
    (one) => {
      const { folder, files, servers, entry, up, networks, programs } = one;
      const [own, ...others] = files;
      expect(own).toBe("docker-compose.yml");
      expect(others.filter((file) => !path.isAbsolute(file) || !existsSync(file))).toEqual([]);

      const base = first(folder);
      const used = [servers, entry.service, ...up, ...programs.map(({ service }) => service)];
      expect(used.filter((service) => !(service in base.services))).toEqual([]);
      const known = ["default", ...Object.keys(base.networks ?? {})];
      expect(networks.filter((network) => !known.includes(network))).toEqual([]);
    },
  );
});

describe("projectFile", () => {
  const file = (name: "production" | "task6" | "original"): ComposeFile =>
    JSON.parse(projectFile(findContender(name), "bench-1")) as ComposeFile;

  it.each(contenders)("gives every image of $name a name of the project's own", (one) => {
    const { services } = JSON.parse(projectFile(one, "bench-1")) as ComposeFile;
    expect(Object.keys(services).sort()).toEqual(
      [...Object.keys(first(one.folder).services), loadService].sort(),
    );
    for (const [service, { image, build }] of Object.entries(services)) {
      expect(image).toBe(`bench-1-${service}`);
      expect(build).toEqual({ labels: { [benchLabel]: "bench-1" } });
    }
  });

  it("puts the load generator, and nobody else, on the contender's networks", () => {
    expect(file("production").services[loadService]?.networks).toEqual(["edge"]);
    for (const name of ["task6", "original"] as const) {
      expect(file(name).services[loadService]?.networks).toEqual(["default"]);
    }
    expect(file("production").services.proxy).not.toHaveProperty("networks");
  });
});

describe("stackOf", () => {
  const stack = stackOf(findContender("haproxy"), "bench-1", "/tmp/project.yml", 8080);

  it("begins in the contender's folder, under the project's name", () => {
    expect(stack).toMatchObject({ folder: path.join(root, "production"), project: "bench-1" });
  });

  it("lays the project's file over all others, and the contender's over its first", () => {
    const files = stack.env?.COMPOSE_FILE?.split(":") ?? [];
    expect(files.map((file) => path.basename(file))).toEqual([
      "docker-compose.yml",
      "haproxy.yml",
      "load.yml",
      "project.yml",
    ]);
  });

  it("says where the stacks are, and the port", () => {
    expect(stack.env).toMatchObject({
      STACKS: path.join(root, "tools/bench/stacks"),
      PROXY_PORT: "8080",
    });
  });
});

describe("versionIn", () => {
  it.each([
    ["nginx version: nginx/1.30.6", "1.30.6"],
    ["HAProxy version 3.0.11-1+deb13u3 2026/05/11 - https://haproxy.org/", "3.0.11"],
    ["gunicorn (version 23.0.0)", "23.0.0"],
    ["v24.11.1", "24.11.1"],
    ["3.1", "3.1"],
  ])("finds in %j the version %s", (output, version) => {
    expect(versionIn(output)).toBe(version);
  });

  it.each(["", "unknown", "node: not found", "exit 127"])("finds none in %j", (output) => {
    expect(versionIn(output)).toBeUndefined();
  });
});
