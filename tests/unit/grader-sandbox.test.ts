import { describe, expect, it } from "vitest";
import { explainFailedBuild } from "../../tools/grader/build";
import { parseListeners } from "../../tools/grader/sandbox";

describe("parseListeners", () => {
  const head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
  const row = (address: string, state = "0A"): string =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0\n`;

  const loopback = { port: 9000, isLoopback: true };

  it.each([
    ["any address", row("00000000:1484"), [{ port: 5252, isLoopback: false }]],
    ["127.0.0.1", row("0100007F:1484"), [{ port: 5252, isLoopback: true }]],
    ["127.0.1.1", row("0101007F:1484"), [{ port: 5252, isLoopback: true }]],
    ["any IPv6 address", row(`${"0".repeat(32)}:2328`), [{ port: 9000, isLoopback: false }]],
    ["::1", row("00000000000000000000000001000000:2328"), [loopback]],
    ["127.0.0.1 as IPv6", row(`${"0".repeat(16)}FFFF00000100007F:2328`), [loopback]],
    ["a connection", row("0100007F:1484", "01"), []],
    ["Docker's own DNS", row("0B00007F:9C6F"), []],
    ["nothing", "", []],
  ])("reads the listeners: %s", (_, rows, listeners) => {
    expect(parseListeners(head + rows)).toEqual(listeners);
  });

  it("reads the IPv4 and IPv6 tables, one after the other", () => {
    const tables = head + row("0100007F:0050") + head + row(`${"0".repeat(32)}:1484`);
    expect(parseListeners(tables).map(({ port }) => port)).toEqual([80, 5252]);
  });
});

const noImage = (image: string, reason: string): string =>
  `ERROR: failed to solve: x: failed to resolve source metadata for docker.io/${image}: ${reason}`;

const place = "Dockerfile:2\n--------------------\n";
/** Step 5 fails, after steps 3 and 4 have succeeded. */
const noStep = (log: string, command: string): string => {
  const reason = `process "/bin/sh -c ${command}" did not complete successfully: exit code: 100`;
  const earlier =
    "#4 0.1 dial tcp: i/o timeout; Could not resolve 'deb.example'; no space left on device";
  return `${earlier}\n${log}\n#5 ERROR: ${reason}\n${place}ERROR: failed to solve: ${reason}`;
};
const fails = { verdict: "fail", line: 2 };

describe("explainFailedBuild", () => {
  it.each([
    [
      "a missing file",
      `${place}ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/api.py": not found`,
      { verdict: "fail", cause: "it copies api.py, which is not there", line: 2 },
    ],
    [
      "a command that fails, with its last words",
      noStep("#5 0.2 first\n#5 0.3 E: no such package", "apt-get install x"),
      { verdict: "fail", cause: "`apt-get install x` fails: E: no such package", line: 2 },
    ],
    [
      "a registry that cannot be reached",
      noImage("library/python:3", "dial tcp: lookup registry-1.docker.io: no such host"),
      { verdict: "skipped", cause: expect.stringMatching(/^Docker fails here: .*no such host/) },
    ],
    [
      "a package source that cannot be reached",
      noStep("#5 9.0 Could not resolve 'packages.example'", "apt-get update"),
      { verdict: "skipped", line: 2 },
    ],
    [
      "an engine that has ended",
      "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
      { verdict: "skipped", cause: expect.stringMatching(/^Docker fails here: .*Unavailable/) },
    ],
    [
      "an image that the registry does not have",
      noImage("library/ubuntu:nosuch", "docker.io/library/ubuntu:nosuch: not found"),
      { verdict: "fail", cause: "there is no image ubuntu:nosuch" },
    ],
    [
      "an image that the registry does not give",
      noImage("a/b:latest", "pull access denied, repository does not exist or may require"),
      { verdict: "fail", cause: "there is no image a/b:latest" },
    ],
    [
      "an error of an instruction",
      `${place}ERROR: failed to solve: cannot replace to directory /a with file`,
      { verdict: "fail", cause: "cannot replace to directory /a with file", line: 2 },
    ],
    [
      "an unknown instruction",
      "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN",
      { verdict: "fail", cause: expect.stringMatching(/unknown instruction: RUNN$/) },
    ],
    ["a compiler's line 503", noStep("#5 9.0 api.c:503 error: expected ;", "cc api.c"), fails],
    [
      "a package source that is overloaded",
      noStep("#5 9.0 E: Failed to fetch x  503  Service Unavailable", "apt-get update"),
      { verdict: "skipped", line: 2 },
    ],
    ["another error", "ERROR: failed to solve: what?", { verdict: "skipped" }],
    ["silence", "", { verdict: "skipped" }],
    [
      "no terminal codes",
      noStep("#5 0.3 \x1b[2Jgone\x07", "x"),
      { verdict: "fail", cause: "`x` fails: gone" },
    ],
    [
      "a name in the stack",
      noStep("#5 9.0 curl: (6) Could not resolve host: back-end", "curl"),
      fails,
    ],
    [
      "this address",
      noStep("#5 9.0 connect ECONNREFUSED connection refused 127.0.0.1:5252", "x"),
      fails,
    ],
    ["a URL in the stack", noStep("#5 9.0 getaddrinfo EAI_AGAIN back-end", "npm"), fails],
    [
      "npm's registry",
      noStep(
        "#5 9.0 npm error request to https://registry.npmjs.org failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
        "npm ci",
      ),
      { verdict: "skipped", line: 2 },
    ],
    [
      "pip's index",
      noStep(
        "#5 9.0 Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/flask/",
        "pip",
      ),
      { verdict: "skipped" },
    ],
  ])("reports %s", (_, output, finding) => {
    const file = "task0/Dockerfile";
    expect(explainFailedBuild(output, file)).toMatchObject({ ...finding, file });
  });
});

it.each([
  "pull access denied, repository does not exist or may require authorization",
  "dial tcp: lookup registry-1.docker.io: no such host",
])("explainFailedBuild reports an image that only the repository builds: %s", (reason) => {
  const output = noImage("library/backend:latest", reason);
  expect(explainFailedBuild(output, "Dockerfile", new Set(["backend:latest"]))).toMatchObject({
    verdict: "fail",
    cause: expect.stringMatching(/^it is based on backend:latest, which only this repository/),
  });
});
