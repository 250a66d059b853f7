import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { takesTurns } from "../../tools/grader/checks/command";
import type { Judgement } from "../../tools/grader/point";
import { openRepository } from "../../tools/grader/repository";
import { tidyUp } from "../../tools/grader/sandbox";
import { Subject } from "../../tools/grader/subject";
import { upgraded } from "../lib/grader-files";
import { type Port, sandboxOf, usePorts } from "../lib/grader-fixtures";
import { flask } from "../lib/grader-variants";
import { describeOnEngine } from "../lib/stacks";

/** Servers that print nothing. */
const silent = {
  perl: {
    Dockerfile: `${upgraded}WORKDIR /app\nCOPY ./api.pl /app/api.pl\nCMD ["perl", "api.pl"]\n`,
    "api.pl": `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 5252, Listen => 64, ReuseAddr => 1) or die $!;
$SIG{TERM} = sub { exit 0 };
while (my $client = $server->accept) {
  while (<$client>) { last if /^\\r?\\n$/ }
  print $client "HTTP/1.1 200 OK\\r\\nContent-Length: 13\\r\\nConnection: close\\r\\n\\r\\nHello, World!";
  close $client;
}
`,
  },
  python: {
    Dockerfile: flask.Dockerfile,
    "api.py": `from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '13')
        self.end_headers()
        self.wfile.write(b'Hello, World!')

    def log_message(self, *args):
        pass

ThreadingHTTPServer(('0.0.0.0', 5252), Handler).serve_forever()
`,
  },
};

const conf = "task6/proxy/proxy.conf";

/** Replaces the API. */
const withApi = (files: Record<string, string>) => async (port: Port) => {
  await port.remove("task6/back-end");
  for (const [name, text] of Object.entries(files)) {
    await port.write({ [`task6/back-end/${name}`]: text });
  }
};

/** Has nginx choose a server of the upstream in another way. */
const chooseBy = (directive: string) => (port: Port) =>
  port.replace(conf, "zone api 64k;", `zone api 64k;\n  ${directive};`);

describeOnEngine("who served each request", { concurrent: true, timeout: 300_000 }, () => {
  const portOf = usePorts();

  it.each<[string, (port: Port) => Promise<void>, string, RegExp]>([
    [
      "Node.js prints nothing",
      (port) => port.replace("task6/back-end/api.js", "console.log(", "String("),
      "pass",
      /^2 replicas, which served 20 and 20$/,
    ],
    ["Perl prints nothing", withApi(silent.perl), "pass", /served 20 and 20$/],
    ["Python prints nothing", withApi(silent.python), "pass", /served 20 and 20$/],
    [
      "nginx responds itself",
      (port) => port.replace(conf, "proxy_pass http://api;", 'return 200 "Hello, World!";'),
      "fail",
      /^40 of 40 requests reach no replica/,
    ],
    [
      "a copy of the service responds, too",
      async (port) => {
        const copy = "  copy:\n    build: {context: ./back-end, dockerfile: Dockerfile}\n";
        await port.append("task6/docker-compose.yml", `\n${copy}`);
        await port.replace(
          conf,
          "server back-end:5252;",
          "server back-end:5252; server copy:5252;",
        );
      },
      "fail",
      /^1[34] of 40 requests reach no replica/,
    ],
    [
      "the client's address decides",
      chooseBy("ip_hash"),
      "fail",
      /^one replica gets every request/,
    ],
    ["the path decides", chooseBy("hash $uri"), "fail", /^one replica gets every request/],
    ["chance decides", chooseBy("random"), "deviation", /not strictly in turn$/],
  ])("is read from outside the containers if %s", async (_, change, verdict, cause) => {
    const port = await portOf("task6");
    await change(port);
    const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-copy-"));
    const sandbox = sandboxOf(port.name);
    try {
      const folder = (await openRepository(port.folder, scratch)).get("task6");
      if (folder === undefined) throw new Error("there is no task6");
      const subject = new Subject(folder, sandbox);
      const { finding } = (await Promise.resolve(takesTurns.judge(subject)).catch(
        (error: unknown) => error,
      )) as Judgement;
      expect(finding).toMatchObject({ verdict, cause: expect.stringMatching(cause) });
    } finally {
      await tidyUp(sandbox.prefix);
      await rm(scratch, { recursive: true, force: true });
    }
  });
});
