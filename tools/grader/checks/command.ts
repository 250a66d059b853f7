import { argv } from "../../lib/argv";
import { fetchAnswer } from "../../lib/http";
import { attempt } from "../../lib/run";
import { perSubject, reads, runs } from "../check";
import { deviate, fail, raise } from "../point";
import { readCommands, readOrFail } from "../read";
import { readText } from "../repository";
import { countReceived } from "../sandbox";
import { exactCommand, findCommand, judgeMeaning } from "../scale-command";
import { confNames, type Subject } from "../subject";
import { composeFileOf, readsCompose } from "./compose";
import { request, serverIn, stackOf, startStack } from "./running";

const textFile = "2-api-servers.txt";

/** @throws {Judgement} if there is no such file. */
function textOf(subject: Subject): string {
  const text = readText(subject.folder, textFile);
  const hint = `Create it with this one line: ${exactCommand.trim()}`;
  if (text !== undefined) {
    return readOrFail(subject.pathOf(textFile), hint, () => readCommands(text));
  }
  fail(`there is no ${textFile} in task6`, hint, subject.at(textFile));
}

export const hasFile = reads("command-file", [], (subject) => {
  textOf(subject);
});

export const isExact = reads("command-bytes", ["command-file", "command-meaning"], (subject) => {
  const text = textOf(subject);
  if (text === exactCommand) return;
  const hint = `The text's checker compares it with ${JSON.stringify(exactCommand)}.`;
  const found = JSON.stringify(text.slice(0, 120)).replace("\uFEFF", "\\ufeff");
  deviate(`it is ${found}`, hint, subject.at(textFile, 1));
});

export const meansTwo = readsCompose(
  "command-meaning",
  ["command-file", "services"],
  (subject, composeFile) => {
    const services = Object.keys(composeFile.model.services);
    const { name } = composeFile.service("back-end");
    judgeMeaning(textOf(subject), name, services, subject.pathOf(textFile));
  },
);

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

/** Bytes of a header that are added to each request, so that it stands out from other traffic. */
const padding = 2_000;

export const takesTurns = runs("turns", ["two-servers"], async (subject) => {
  const { api, ...stack } = await scaledStackOf(subject);
  const proxy = await serverIn(subject, stack, "proxy");
  await request(subject, proxy, "/api/hello");
  const counters = await Promise.all(api.map(({ id }) => countReceived(id)));
  const received = () => Promise.all(counters.map((count) => count()));
  const servers: number[] = [];
  let before = await received();
  for (let count = 1; count <= sample.requests; count += 1) {
    // Forty slow responses would take minutes
    const options = { timeoutMs: 3_000, headers: { "X-Padding": "x".repeat(padding) } };
    const { status } = await fetchAnswer(`${proxy.url}/api/hello`, options);
    if (status !== 200) {
      const cause = `request ${count} of ${sample.requests} gets ${status ?? "no response"}`;
      fail(cause, "Read docker-compose logs.", (await composeFileOf(subject)).at("services"));
    }
    const after = await received();
    servers.push(after.findIndex((bytes, index) => bytes - (before[index] ?? 0) >= padding));
    before = after;
  }
  judgeTurns(subject, api.length, servers);
});

/**
 * @param servers Which replica got each request, counted from 0; -1 if none did.
 * @throws {Judgement}
 */
function judgeTurns(subject: Subject, replicas: number, servers: readonly number[]): never {
  const first = servers.slice(0, sample.strict);
  const served = Array.from(
    { length: replicas },
    (_, replica) => servers.filter((server) => server === replica).length,
  );
  const place = subject.at(subject.confFile("proxy") ?? confNames.proxy);
  const elsewhere = servers.filter((server) => server === -1).length;
  if (elsewhere > 0) {
    const hint = "Send every request to the API's service, and to no other.";
    fail(`${elsewhere} of ${servers.length} requests reach no replica of the API`, hint, place);
  }
  if (served.includes(0)) {
    const hint = "The proxy must know all replicas: use the service's name.";
    fail(`one replica gets every request (${served.join(", ")})`, hint, place);
  }
  const isStrict = first.every((server, index) => server !== first[index + 1]);
  if (isStrict && Math.max(...served) - Math.min(...served) <= 1) {
    const cause = `${replicas} replicas, which served ${served.join(" and ")}`;
    raise({ verdict: "pass", cause });
  }
  const cause = `the replicas share the requests ${served.join(" to ")}, but not strictly in turn`;
  const hint =
    "nginx has several worker processes: a zone in the upstream makes them share a turn.";
  deviate(cause, hint, place);
}
