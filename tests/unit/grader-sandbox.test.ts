import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { explainFailedBuild } from "../../tools/grader/build";
import type { ComposeModel } from "../../tools/grader/compose-model";
import { externalFile, judgeExternalFile, leadsOutside } from "../../tools/grader/external-files";
import { bareEnvironment, isolate } from "../../tools/grader/isolate";
import { parseListeners } from "../../tools/grader/sandbox";
import { unsafeSettings } from "../../tools/grader/unsafe-settings";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "softy-pinko-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files into the folder, those of its parents that are missing too. */
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

describe("parseListeners", () => {
  const head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
  const row = (address: string, state = "0A"): string =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0\n`;

  it.each([
    ["any address", row("00000000:1484"), [{ port: 5252, isLoopback: false }]],
    ["127.0.0.1", row("0100007F:1484"), [{ port: 5252, isLoopback: true }]],
    ["127.0.1.1", row("0101007F:1484"), [{ port: 5252, isLoopback: true }]],
    ["any IPv6 address", row(`${"0".repeat(32)}:2328`), [{ port: 9000, isLoopback: false }]],
    ["::1", row("00000000000000000000000001000000:2328"), [{ port: 9000, isLoopback: true }]],
    [
      "127.0.0.1 as IPv6",
      row("0000000000000000FFFF00000100007F:2328"),
      [{ port: 9000, isLoopback: true }],
    ],
    ["a connection", row("0100007F:1484", "01"), []],
    ["Docker's own DNS", row("0B00007F:9C6F"), []],
    ["nothing", "", []],
  ])("reads who listens on %s", (_, rows, listeners) => {
    expect(parseListeners(head + rows)).toEqual(listeners);
  });

  it("reads both tables, one after the other", () => {
    const tables = head + row("0100007F:0050") + head + row(`${"0".repeat(32)}:1484`);
    expect(parseListeners(tables).map(({ port }) => port)).toEqual([80, 5252]);
  });
});

describe("explainFailedBuild", () => {
  const place = "Dockerfile:2\n--------------------\n";

  it.each([
    [
      "a file that is not there",
      `${place}ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/api.py": not found`,
      { verdict: "fail", cause: "it copies api.py, which is not there", line: 2 },
    ],
    [
      "a command that fails, with its last words",
      `#5 0.2 first\n#5 0.3 E: no such package\n${place}ERROR: failed to solve: process "/bin/sh -c apt-get install x" did not complete successfully: exit code: 100`,
      { verdict: "fail", cause: "`apt-get install x` fails: E: no such package" },
    ],
    [
      "a registry that cannot be reached",
      "ERROR: failed to solve: python:3: failed to resolve source metadata for docker.io/library/python:3: dial tcp: lookup registry-1.docker.io: no such host",
      { verdict: "skipped", cause: expect.stringMatching(/^something it needs cannot be/) },
    ],
    [
      "a package source that cannot be reached",
      `#5 9.0 Could not resolve 'packages.example'\n${place}ERROR: failed to solve: process "/bin/sh -c apt-get update" did not complete successfully: exit code: 100`,
      { verdict: "skipped", line: 2 },
    ],
    [
      "an engine that has ended",
      "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
      { verdict: "skipped", cause: expect.stringMatching(/^the engine has stopped/) },
    ],
    [
      "an image that the registry does not have",
      "ERROR: failed to solve: ubuntu:nosuch: failed to resolve source metadata for docker.io/library/ubuntu:nosuch: docker.io/library/ubuntu:nosuch: not found",
      { verdict: "fail", cause: "there is no image ubuntu:nosuch" },
    ],
    [
      "an image that nobody may have",
      "ERROR: failed to solve: a/b: failed to resolve source metadata for docker.io/a/b:latest: pull access denied, repository does not exist or may require authorization",
      { verdict: "fail", cause: "there is no image a/b:latest" },
    ],
    ["what it does not know", "ERROR: failed to solve: what?", { verdict: "fail", cause: "what?" }],
    ["silence", "", { verdict: "fail", cause: "docker build failed" }],
    [
      "orders to the terminal",
      '#5 0.3 \x1b[2Jgone\x07\nERROR: failed to solve: process "/bin/sh -c x" did not complete successfully: exit code: 1',
      { verdict: "fail", cause: "`x` fails: gone" },
    ],
  ])("tells %s", (_, output, finding) => {
    const found = explainFailedBuild(output, "task0/Dockerfile");
    expect(found).toMatchObject({ ...finding, file: "task0/Dockerfile" });
  });
});

describe("leadsOutside", () => {
  it.each([
    ["back-end", false],
    ["./not/there/yet", false],
    ["..hidden", false],
    [".", false],
    ["..", true],
    ["back-end/../..", true],
    ["/etc", true],
    ["out", true],
    ["out/passwd", true],
    ["dead", true],
    ["https://example.com/x.git", true],
    ["git@example.com:x", true],
  ])("%s: %s", (target, expected) => {
    mkdirSync(path.join(folder, "back-end"));
    symlinkSync("/etc", path.join(folder, "out"));
    symlinkSync("/nowhere/at/all", path.join(folder, "dead"));
    expect(leadsOutside(folder, target)).toBe(expected);
  });
});

describe("externalFile", () => {
  it.each([
    ["services: {a: {env_file: a.env}}", undefined],
    ["services: {a: {env_file: [{path: ../a.env}]}}", "env_file ../a.env"],
    ["services: {a: {extends: b}, b: {}}", undefined],
    ["services: {a: {extends: {file: /etc/passwd, service: b}}}", "extends /etc/passwd"],
    ["include: [inside.yml]", "env_file /etc/passwd"],
    ["include: [{path: [inside.yml], env_file: /etc/passwd}]", "env_file /etc/passwd"],
    ["include: [{path: inside.yml, project_directory: x}]", "project_directory x"],
    ["include: [parts.yml]", "include inside.yml"],
    ["include: ['oci://a/b']", "include oci://a/b"],
    ["x: &x {include: [/etc/passwd]}\n<<: *x", "include /etc/passwd"],
    ["services: {}\n---\ninclude: [/etc/passwd]", "include /etc/passwd"],
    ["services: {a: {env_file: $HOME/x}}", "env_file $HOME/x"],
  ])("%s names %s", (text, expected) => {
    write({
      "docker-compose.yml": text,
      "inside.yml": "services: {a: {env_file: /etc/passwd}}\n",
      "parts.yml": "include: [inside.yml]\n",
    });
    expect(externalFile(folder, "docker-compose.yml")).toBe(expected);
  });

  it.each([
    ["a: [", /^docker-compose.yml: line 1: it is not valid YAML: Flow sequence/],
    ["include: [no.yml]", /^there is no no.yml$/],
    ["include: [large.yml]", /^large.yml: it is larger than 100 kB$/],
    ["include: [utf-16.yml]", /^utf-16.yml: it is UTF-16; save it as UTF-8$/],
    ["include: !!binary L2V0Yy9wYXNzd2Q=", /Unresolved tag: tag:yaml.org,2002:binary/],
    ["%YAML 1.1\n---\na: 1", /a line begins with %/],
    ["include: &a [{path: *a}]", /its aliases expand to too many values/],
    [`include: [${"a.yml,".repeat(21)}]`, /^it has more than 20 parts$/],
    [`include: [${"a.yml,".repeat(300)}]`, /^it names more than 200 files$/],
  ])("does not know what is in %s", (text, message) => {
    write({ "docker-compose.yml": text, "large.yml": "a".repeat(100_001) });
    writeFileSync(path.join(folder, "utf-16.yml"), Buffer.from("\uFEFFa: 1", "utf16le"));
    expect(() => externalFile(folder, "docker-compose.yml")).toThrow(message);
    expect(judgeExternalFile(folder, "docker-compose.yml", "x")).toMatchObject({ verdict: "fail" });
  });

  it("knows that Compose reads .env by itself", () => {
    write({ "docker-compose.yml": "services: {}\n" });
    symlinkSync("/etc/passwd", path.join(folder, ".env"));
    expect(externalFile(folder, "docker-compose.yml")).toBe(".env");
  });
});

describe("a graded stack", () => {
  const model = (service: object, more: object = {}): ComposeModel => ({
    services: { api: { image: "x", ...service } },
    ...more,
  });

  it.each([
    [{ uts: "host" }, "uts, which the grader does not know"],
    [{ provider: { type: "x" } }, "provider, which the grader does not know"],
    [{ network_mode: "somebodys" }, "another container's network"],
    [{ device_cgroup_rules: ["a"], devices: [] }, "devices of the host"],
    [{ volumes: [{ type: "bind", source: "/run/docker.sock" }] }, "the engine's socket"],
    [
      { build: { context: ".", additional_contexts: { x: "oci-layout:///etc" } } },
      "files from outside its folder",
    ],
    [{ build: { context: ".", dockerfile: "/etc/passwd" } }, "files from outside its folder"],
    [
      { build: { dockerfile_inline: "# syntax=a/b\nFROM x" } },
      "another program to build it than Docker's own",
    ],
    [
      { build: { dockerfile_inline: "FROM x\nADD http://127.0.0.1/x /x" } },
      "a build that the grader refuses: it downloads http://127.0.0.1/x with ADD; the course needs no ADD from the network (line 2 of its Dockerfile)",
    ],
    [
      { build: { dockerfile_inline: "ARG A\nFROM $A", args: { A: "localhost/x" } } },
      "a build that the grader refuses: localhost/x is in no public registry (line 2 of its Dockerfile)",
    ],
    [{ image: "localhost/x" }, "images that are in no public registry (localhost/x)"],
    [
      { build: { context: ".", additional_contexts: { x: "docker-image://localhost/x" } } },
      "images that are in no public registry (localhost/x)",
    ],
    [{ ports: Array.from({ length: 17 }, (_, target) => ({ target })) }, "more than 16 ports"],
  ])("that has %j asks for %s", (service, what) => {
    expect(unsafeSettings(model(service), folder)).toEqual([{ service: "api", what }]);
  });

  it("runs under names of the grader's own, within bounds, and writes nothing", () => {
    const isolated = isolate(
      model(
        {
          build: {
            ...{
              context: "/x",
              tags: ["nginx:latest"],
              args: { A: "1", HTTP_PROXY: "http://x", BUILDKIT_CACHE_MOUNT_NS: "x" },
            },
            cache_to: ["type=local,dest=/y"],
          },
          ...{ container_name: "a", labels: { "traefik.enable": "true" }, scale: 1000 },
          volumes: [{ type: "bind", source: "/x/data", target: "/data" }],
          ports: [{ target: 80, published: "80" }],
        },
        { networks: { default: { name: "theirs" } }, models: {}, volumes: { v: null } },
      ),
      "own",
    );
    expect(isolated).toMatchObject({
      name: "own",
      networks: { default: { name: "own_default" } },
      volumes: { v: { name: "own_v" } },
    });
    const api = isolated.services.api ?? {};
    expect(api).toMatchObject({
      image: "own-api",
      scale: 4,
      ports: [{ target: 80, host_ip: "127.0.0.1" }],
      volumes: [{ read_only: true, bind: { create_host_path: false } }],
      security_opt: ["no-new-privileges:true"],
    });
    expect(Object.keys(api.build ?? {})).toEqual(["context", "args", "ulimits"]);
    expect(api.build?.args).toEqual({ A: "1", BUILDKIT_CACHE_MOUNT_NS: "own" });
    expect(api).not.toHaveProperty("labels");
    expect(isolated).not.toHaveProperty("models");
  });

  it("gets nothing of this process's environment but the way to the engine", () => {
    process.env.GRADER_UNIT_SECRET = "1";
    const bare = bareEnvironment();
    delete process.env.GRADER_UNIT_SECRET;
    expect(bare).toHaveProperty("GRADER_UNIT_SECRET", undefined);
    expect(bare).not.toHaveProperty("PATH");
  });
});
