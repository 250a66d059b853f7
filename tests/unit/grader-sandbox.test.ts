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
const noUbuntu = (reason: string): string => noImage("library/ubuntu:latest", reason);

const place = "Dockerfile:2\n--------------------\n";
/** Step 5 fails, after step 4 has succeeded. */
const noStep = (printed: string, command = "x"): string => {
  const reason = `process "/bin/sh -c ${command}" did not complete successfully: exit code: 100`;
  const earlier =
    "#4 0.1 dial tcp: i/o timeout; Could not resolve 'deb.example'; no space left on device";
  return `${earlier}\n#5 9.0 ${printed}\n#5 ERROR: ${reason}\n${place}ERROR: failed to solve: ${reason}`;
};

const file = "task0/Dockerfile";

describe("explainFailedBuild blames the repository for", () => {
  it.each<[what: string, output: string, cause: string | RegExp, line?: number]>([
    [
      "a missing file",
      `${place}ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref a::b: "/api.py": not found`,
      "it copies api.py, which is not there",
      2,
    ],
    [
      "a command that fails, with its last words",
      noStep("first\n#5 9.1 E: no \x1b[2Jsuch package\x07", "apt-get install x"),
      "`apt-get install x` fails: E: no such package",
      2,
    ],
    [
      "an image that the registry does not have",
      noImage("library/ubuntu:nosuch", "docker.io/library/ubuntu:nosuch: not found"),
      "there is no image ubuntu:nosuch",
    ],
    [
      "an image that the registry does not give",
      noImage("a/b:latest", "pull access denied, repository does not exist or may require"),
      "there is no image a/b:latest",
    ],
    [
      "an error of an instruction",
      `${place}ERROR: failed to solve: cannot replace to directory /a with file`,
      "cannot replace to directory /a with file",
      2,
    ],
    [
      "an unknown instruction",
      "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN",
      /unknown instruction: RUNN$/,
    ],
    ["a compiler's line 503", noStep("api.c:503 error: expected ;"), /expected ;$/, 2],
    ["a name in the stack", noStep("curl: (6) Could not resolve host: back-end"), /back-end$/, 2],
    ["this address", noStep("connection refused 127.0.0.1:5252"), /5252$/, 2],
    ["a URL in the stack", noStep("getaddrinfo EAI_AGAIN back-end"), /back-end$/, 2],
  ])("%s", (_, output, cause, line) => {
    expect(explainFailedBuild(output, file)).toEqual({
      verdict: "fail",
      cause: typeof cause === "string" ? cause : expect.stringMatching(cause),
      hint: expect.any(String),
      file,
      ...(line !== undefined && { line }),
    });
  });

  it.each([
    "pull access denied, repository does not exist or may require authorization",
    "dial tcp: lookup registry-1.docker.io: no such host",
  ])("an image that only the repository itself builds: %s", (reason) => {
    const output = noImage("library/backend:latest", reason);
    expect(explainFailedBuild(output, file, new Set(["backend:latest"]))).toMatchObject({
      verdict: "fail",
      cause: expect.stringMatching(/^it is based on backend:latest, which only this repository/),
    });
  });
});

const head =
  "unexpected status from HEAD request to https://registry-1.docker.io/v2/library/ubuntu";

it.each([
  noUbuntu("dial tcp: lookup registry-1.docker.io: no such host"),
  noUbuntu(`${head}: 429 Too Many Requests`),
  noUbuntu(`${head}: 503 Service Unavailable`),
  noUbuntu(`${head}: 401 Unauthorized`),
  noUbuntu('failed to do request: Head "https://docker.io": EOF'),
  noUbuntu("pull access denied, repository does not exist"),
  noUbuntu("x509: certificate signed by unknown authority"),
  noUbuntu('exec: "docker-credential-desktop": executable not found'),
  noStep("Could not resolve 'packages.example'", "apt-get update"),
  noStep("E: Failed to fetch x  503  Service Unavailable", "apt-get update"),
  noStep("npm error request to https://a.org failed, reason: getaddrinfo EAI_AGAIN a.org"),
  noStep("[Errno -3] Temporary failure in name resolution')': /simple/flask/", "pip"),
  `${place}ERROR: failed to solve: no space left on device`,
  "ERROR: failed to receive status: rpc error: code = Unavailable: EOF",
  "ERROR: failed to solve: what?",
  "",
])("explainFailedBuild blames the machine for: %s", (output) => {
  expect(explainFailedBuild(output, file)).toMatchObject({
    verdict: "skipped",
    cause: expect.stringMatching(/^Docker fails here: /),
    file,
  });
});
