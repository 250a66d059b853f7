import { argv } from "../../lib/argv";
import { fetchAnswer } from "../../lib/http";
import { attempt } from "../../lib/run";
import { waitUntil } from "../../lib/wait";
import { confNames } from "../locate";
import { deviate, fail, raise, skipped } from "../point";
import { readText } from "../repository";
import { exactCommand, findCommand, judgeBytes, judgeMeaning } from "../scale-command";
import { perSubject, reads, runs, type Subject } from "../subject";
import { composeFileOf } from "./compose";
import { request, serverIn, stackOf, startStack } from "./running";

const textFile = "2-api-servers.txt";

/** @throws {Judgement} if there is no such file. */
function textOf(subject: Subject): string {
  const text = readText(subject.folder, textFile);
  if (text !== undefined) return text;
  const hint = `Create it with this one line: ${exactCommand.trim()}`;
  fail(`there is no ${textFile} in task6`, hint, subject.at(textFile));
}

export const hasFile = reads("command-file", [], (subject) => {
  textOf(subject);
});

export const isExact = reads("command-bytes", ["command-file", "command-meaning"], (subject) => {
  const finding = judgeBytes(textOf(subject), subject.pathOf(textFile));
  if (finding !== undefined) raise(finding);
});

export const meansTwo = reads("command-meaning", ["command-file", "services"], async (subject) => {
  const composeFile = await composeFileOf(subject);
  const services = Object.keys(composeFile.model.services);
  const { name } = composeFile.service("back-end");
  const finding = judgeMeaning(textOf(subject), name, services, subject.pathOf(textFile));
  if (finding !== undefined) raise(finding);
});

/** The stack as the command scales it. */
const scaledStackOf = perSubject(async (subject) => {
  const { project, containers } = await stackOf(subject);
  const { name } = (await composeFileOf(subject)).service("back-end");
  subject.sandbox.report("scaling");
  // All start at once, as at first: an nginx without `resolve` queries DNS only when it starts
  await attempt("docker", argv`rm --force ${containers.map(({ id }) => id)}`);
  const replicas = Object.entries(findCommand(textOf(subject))?.scale ?? {});
  const scale = replicas.map(([service, count]) => `--scale=${service}=${Math.min(count, 4)}`);
  const scaled = await startStack(subject, project, scale);
  const api = scaled.containers.filter(({ service }) => service === name);
  if (scaled.error === undefined && api.length >= 2) return { ...scaled, api };
  const cause = `${api.length} of ${name} started: ${scaled.error ?? ""}`;
  fail(cause, "Run the command and read its output.", subject.at(textFile));
});

const startNeeds = ["command-meaning", "scalable", "ports", "hello"] as const;
export const startsTwo = runs("two-servers", startNeeds, async (subject) => {
  await scaledStackOf(subject);
});

/** Requests that are sent, and those of them that must alternate strictly. */
const sample = { requests: 40, strict: 8 };

export const takesTurns = runs("turns", ["two-servers"], async (subject) => {
  const { api, ...stack } = await scaledStackOf(subject);
  const proxy = await serverIn(subject, stack, "proxy");
  await request(subject, proxy, "/api/hello");
  const run = Date.now().toString(36);
  const markers = Array.from({ length: sample.requests }, (_, index) => `turn=${run}.${index}.`);
  for (const [index, marker] of markers.entries()) {
    // Forty slow responses would take minutes
    const options = { timeoutMs: 3_000 };
    const { status } = await fetchAnswer(`${proxy.url}/api/hello?${marker}`, options);
    if (status === 200) continue;
    const cause = `request ${index + 1} of ${sample.requests} gets ${status ?? "no response"}`;
    fail(cause, "Read docker-compose logs.", (await composeFileOf(subject)).at("services"));
  }
  const ids = api.map(({ id }) => id);
  judgeTurns(subject, ids, await serversOf(markers, ids));
});

/** @returns For each marked request, the container whose log has it; undefined if none has it. */
async function serversOf(
  markers: readonly string[],
  containers: readonly string[],
): Promise<(string | undefined)[]> {
  let servers: (string | undefined)[] = [];
  const options = { maxOutputBytes: 8_000_000 };
  const areLogged = async (): Promise<boolean> => {
    const logs = new Map<string, string>();
    for (const id of containers) {
      const { stdout, stderr } = await attempt("docker", ["logs", id], options);
      logs.set(id, `${stdout}\n${stderr}`);
    }
    servers = markers.map((marker) => containers.find((id) => logs.get(id)?.includes(marker)));
    return !servers.includes(undefined);
  };
  const wait = { for: "all requests in the logs", timeoutMs: 5_000 };
  await waitUntil(areLogged, wait).catch(() => undefined);
  return servers;
}

function judgeTurns(
  subject: Subject,
  replicas: readonly string[],
  servers: readonly (string | undefined)[],
): void {
  const first = servers.slice(0, sample.strict);
  if (first.includes(undefined)) {
    raise(skipped("the API does not log requests, so its replicas cannot be told apart"));
  }
  const served = replicas.map((id) => servers.filter((server) => server === id).length);
  const place = subject.at(subject.confFile("proxy") ?? confNames.proxy);
  if (served.includes(0)) {
    const hint = "The proxy must know all replicas: use the service's name.";
    fail(`one replica gets every request (${served.join(", ")})`, hint, place);
  }
  const isStrict = first.every((server, index) => server !== first[index + 1]);
  if (isStrict && Math.max(...served) - Math.min(...served) <= 1) {
    const cause = `${replicas.length} replicas, which served ${served.join(" and ")}`;
    raise({ verdict: "pass", cause });
  }
  const cause = `the replicas share the requests ${served.join(" to ")}, but not strictly in turn`;
  const hint =
    "nginx has several worker processes: a zone in the upstream makes them share a turn.";
  deviate(cause, hint, place);
}
