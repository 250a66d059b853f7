import path from "node:path";
import { fetchAnswer } from "../../lib/http";
import { attempt } from "../../lib/run";
import { waitUntil } from "../../lib/wait";
import { bareEnvironment } from "../isolate";
import { type Check, deviates, failed, holds, skipped } from "../point";
import { readText } from "../repository";
import { findCommand, judgeBytes, judgeMeaning, missingCommand } from "../scale-command";
import { type Subject, shown } from "../subject";
import { findProxyConf } from "./conf";
import { askUntilServed, untilListening } from "./running";
import { addressOf, composeArgs, containersOf, locate, stackOf } from "./service";

type StackCheck = Check<Subject>;

const textFile = "2-api-servers.txt";

const textOf = ({ folder }: Subject): string | undefined => readText(folder, textFile);

/** `2-api-servers.txt` is there (spec, task 6). */
export const hasCommandFile: StackCheck = {
  id: "command-file",
  title: "2-api-servers.txt is there",
  judge: (subject) =>
    textOf(subject) === undefined ? missingCommand(shown(subject, textFile)) : undefined,
};

/** `2-api-servers.txt` is the text's command, byte by byte (spec, task 6). */
export const hasExactCommand: StackCheck = {
  id: "command-bytes",
  title: "2-api-servers.txt is the exact command and one newline",
  needs: ["command-file", "command-meaning"],
  judge: (subject) => judgeBytes(textOf(subject) ?? "", shown(subject, textFile)),
};

/** What `2-api-servers.txt` says starts two API servers (spec, task 6). */
export const commandMeansTwo: StackCheck = {
  id: "command-meaning",
  title: "the command in 2-api-servers.txt scales the API's service to two",
  needs: ["command-file", "services"],
  judge: (subject) => {
    const { services, model } = stackOf(subject);
    const api = services["back-end"] ?? "back-end";
    const file = shown(subject, textFile);
    return judgeMeaning(textOf(subject) ?? "", api, Object.keys(model.services), file);
  },
};

/** The command does start two (spec, task 6). */
export const commandStartsTwo: StackCheck = {
  id: "two-servers",
  isLive: true,
  title: "run, the command starts two API servers",
  needs: ["command-meaning", "scalable", "ports", "hello"],
  judge: async (subject) => {
    const stack = subject.stack?.up;
    if (stack === undefined) return undefined;
    const { services } = stackOf(subject);
    const scale = Object.entries(findCommand(textOf(subject) ?? "")?.scale ?? {});
    subject.sandbox.report("scaling");
    // As at first, all at once: an nginx without `resolve` asks Docker's DNS only when it starts
    await attempt("docker", [...composeArgs(stack), "down", "--timeout=2"], { detached: true });
    const started = await attempt(
      "docker",
      [
        ...[...composeArgs(stack), "up", "--detach", "--no-build"],
        ...scale.flatMap(([name, replicas]) => ["--scale", `${name}=${Math.min(replicas, 4)}`]),
      ],
      {
        cwd: path.dirname(stack.file),
        env: bareEnvironment(),
        timeoutMs: 120_000,
        maxOutputBytes: 4_000_000,
        signal: subject.sandbox.signal,
      },
    );
    const name = services["back-end"] ?? "";
    await untilListening(subject);
    const containers = await containersOf(stack, name);
    if (started.ok && containers.length >= 2) return undefined;
    const said = started.stderr.split("\n").filter(Boolean).at(-1) ?? "";
    return failed(
      `${containers.length} of ${name} came up: ${said}`,
      "Run the command and read what it says.",
      { file: shown(subject, textFile) },
    );
  },
};

const sample = 40;

/** Every request goes on to the next server (spec, task 6). */
export const takesTurns: StackCheck = {
  id: "turns",
  isLive: true,
  title: `${sample} requests: every one goes to the next API server`,
  needs: ["two-servers"],
  judge: async (subject) => {
    const stack = subject.stack?.up;
    const address = await addressOf(subject, "proxy");
    if (stack === undefined || address === undefined) return undefined;
    const url = `${address}/api/hello`;
    await askUntilServed(subject, url, (answer) => answer.status === 200);
    const containers = await containersOf(stack, stackOf(subject).services["back-end"] ?? "");
    const marker = `turn=${Date.now().toString(36)}`;
    const order: number[] = [];
    let before = await countMarks(containers, marker);
    for (let sent = 1; sent <= sample; sent += 1) {
      // Forty slow drips would take minutes
      const { status } = await fetchAnswer(`${url}?${marker}`, { timeoutMs: 3_000 });
      if (status !== 200) {
        return failed(
          `request ${sent} of ${sample} is answered ${status ?? "by nobody"}`,
          "Read docker-compose logs.",
          locate(subject, "services"),
        );
      }
      if (sent > 8 && order.length === 8) continue;
      const now = await waitUntil(
        async () => {
          const counts = await countMarks(containers, marker);
          return counts.some((count, index) => count > (before[index] ?? 0)) && counts;
        },
        { for: "the request in a log", timeoutMs: 3_000, intervalMs: 20 },
      ).catch(() => undefined);
      if (now === undefined)
        return skipped("the API logs no requests, so nobody can see who served them");
      order.push(now.findIndex((count, index) => count > (before[index] ?? 0)));
      before = now;
    }
    const served = await waitUntil(
      async () => {
        const counts = await countMarks(containers, marker);
        return counts.reduce((sum, count) => sum + count, 0) >= sample && counts;
      },
      { for: "all requests in the logs", timeoutMs: 5_000 },
    ).catch(() => before);
    const file = shown(subject, findProxyConf(subject) ?? "proxy/proxy.conf");
    if (served.some((count) => count === 0)) {
      const cause = `one API server gets every request (${served.join(", ")})`;
      return failed(cause, "The proxy must know all of them: use the service's name.", { file });
    }
    const isStrict = order.every((server, index) => server !== order[index + 1]);
    if (isStrict && Math.max(...served) - Math.min(...served) <= 1) {
      return holds(`${served.length} servers, which served ${served.join(" and ")}`);
    }
    const hint =
      "nginx has several worker processes; a zone in the upstream lets them take turns as one.";
    return deviates(
      `the servers share the requests ${served.join(" to ")}, but not strictly in turn`,
      hint,
      { file },
    );
  },
};

async function countMarks(containers: readonly string[], marker: string): Promise<number[]> {
  const logs = await Promise.all(
    containers.map((id) => attempt("docker", ["logs", id], { maxOutputBytes: 8_000_000 })),
  );
  return logs.map(({ stdout, stderr }) => `${stdout}\n${stderr}`.split(marker).length - 1);
}
