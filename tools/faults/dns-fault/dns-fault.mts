import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";

/**
 * Takes Docker's DNS away from the container whose network it runs in: `silent`, no question is
 * answered; `no-such-name`, every question is, with NXDOMAIN. Ends on SIGTERM or after a minute,
 * prints how many questions met the fault, and leaves nothing behind; all it changes is that
 * network's, and goes with it.
 */
const dns = "127.0.0.11";

const rules: Record<string, string> = {
  // On the way in: dropped on the way out, the question would fail at once, and not stay unanswered
  silent: `chain input {
    type filter hook input priority 0;
    ip daddr ${dns} counter drop
  }`,
  // Docker leads questions to its own port by NAT. What is not tracked is not led there, not even
  // on a connection that has been for long, and so reaches port 53: us.
  "no-such-name": `chain output {
    type filter hook output priority raw;
    ip daddr ${dns} udp dport 53 counter notrack
    ip saddr ${dns} udp sport 53 notrack
  }`,
};

const kind = process.argv[2] ?? "";
const rule = rules[kind];
if (rule === undefined) throw new Error(`choose ${Object.keys(rules).join(" or ")}`);

const nft = (...args: string[]): string => execFileSync("nft", args, { encoding: "utf8" });
const socket = createSocket("udp4");
socket.on("message", (question, { address, port }) => {
  // The same message as a response (0x80) without answers: recursion available (0x80), NXDOMAIN (3)
  const [flags = 0] = question.subarray(2);
  const answer = Buffer.from(question);
  answer[2] = flags | 0x80;
  answer[3] = 0x83;
  socket.send(answer, port, address);
});

const end = (): never => {
  const [, packets] = /packets (\d+)/.exec(nft("list", "table", "ip", "dns_fault")) ?? [];
  nft("delete", "table", "ip", "dns_fault");
  console.log(`questions: ${packets}`);
  process.exit(0);
};
process.once("SIGTERM", end);
setTimeout(end, 60_000);

socket.bind(53, dns, () => {
  nft(`table ip dns_fault {\n${rule}\n}`);
  console.log("ready");
});
