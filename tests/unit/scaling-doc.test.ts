import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { whole } from "../../tools/bench/figures";
import {
  balancersFor,
  type Cost,
  gigabits,
  inRegions,
  logKept,
  logOfDay,
  type Machine,
  machinesFor,
  machinesInSwarm,
  microsEach,
  type Plan,
  plannedRate,
  receivedBytes,
  sentBytes,
  serversFor,
  serversOn,
  withSpare,
} from "../../tools/bench/scaling-model";
import { root } from "../../tools/lib/course";

const fileOf = (name: string): string => readFileSync(path.join(root, name), "utf8");
const doc = fileOf("docs/scaling.md");

type Row = string[];

/** Every table of a Markdown text: its head, then its rows. */
function tablesIn(text: string): Row[][] {
  const blocks = text.split("\n\n").filter((block) => /^\|.*\n\| ?-/.test(block));
  return blocks.map((block) =>
    block
      .trim()
      .split("\n")
      .filter((_, at) => at !== 1)
      .map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      ),
  );
}

/** The first number of a cell, such as 1420 of `1,420 calls`. */
function numberIn(cell: string | undefined): number {
  const found = /\d[\d,]*(?:\.\d+)?/.exec(cell ?? "")?.[0];
  if (found === undefined) throw new Error(`There is no number in "${cell}"`);
  return Number(found.replaceAll(",", ""));
}

/** A figure of the document, and what it would have to be. */
interface Figure {
  where: string;
  said: string | undefined;
  follows: string;
}

const decimal = (value: number, digits = 1): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const about = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 9 });

/** All figures of the document that follow from others, which are its inputs. */
function figuresOf(text: string): Figure[] {
  const tables = tablesIn(text);
  const words = text.replace(/\s+/g, " ");
  const tableOf = (name: string): Row[] => {
    const found = tables.find(([head]) => head?.[0] === name);
    if (found === undefined) throw new Error(`There is no table "${name}"`);
    return found.slice(1);
  };
  const rowOf = (name: string, of: Row[]): Row => {
    const found = of.find(([first]) => first?.startsWith(name));
    if (found === undefined) throw new Error(`There is no row "${name}"`);
    return found;
  };

  const [head = [], bench = []] =
    tables.find(([first]) => first?.[0] === "requests/s, first round") ?? [];
  const measured = (name: string): number => numberIn(bench[head.indexOf(name)]);
  const rate = measured("requests/s, first round");
  const cores = measured("cores");
  const [proxy, server] = [measured("busy: proxy"), measured("API")].map((busy) =>
    microsEach(busy, rate),
  ) as [number, number];
  const rest = microsEach(cores, rate) - proxy - server;
  const slowest = measured("slowest round");
  const plan: Plan = {
    use: Math.floor((10 * slowest) / rate) / 10,
    serverMegabytes: measured("MB of an API server"),
  };

  const costs = tableOf("of one");
  const costAt = (name: string, column: number): number => numberIn(rowOf(name, costs)[column]);
  const wireOf = (column: number): Cost["wire"] => ({
    fromVisitor: costAt("bytes from the visitor", column),
    toVisitor: costAt("bytes to the visitor", column),
    toServers: costAt("bytes to the servers", column),
    fromServers: costAt("bytes from the servers", column),
    packetsInside: costAt("packets between", column),
  });
  const [requestsOfCall, requests] = [costAt("requests", 1), costAt("requests", 2)];
  const call: Cost = {
    ...{ micros: microsEach(cores, rate), serverMicros: server, wire: wireOf(1) },
  };
  const [asShipped, inAdvance] = ["µs of the front-end", "µs of the front-end, not"].map(
    (name): Cost => ({
      micros: costAt("µs of the proxy", 2) + server + costAt(name, 2) + requests * rest,
      serverMicros: server,
      wire: wireOf(2),
    }),
  ) as [Cost, Cost];

  const part = (pattern: RegExp): number => numberIn(pattern.exec(words)?.[1]);
  const small: Machine = {
    ...{ cores, gibibytes: part(/the measured one, .*? (\d+) GiB/) },
    ...{ gigabits: undefined, gigabitsOutside: undefined },
  };
  const large: Machine = {
    ...{ cores: part(/of (\d+) such cores/), gibibytes: undefined },
    ...{
      gigabits: part(/\[(\d+) Gbit\/s/),
      gigabitsOutside: part(/, (\d+) of them to the Internet/),
    },
  };

  const limits = tableOf("what gives way");
  const ofLimit = (name: RegExp): { row: Row; count: number } => {
    const row = limits.find(([first]) => name.test(first ?? ""));
    if (row === undefined) throw new Error(`There is no limit ${name}`);
    return { row, count: /\d/.test(row[0] ?? "") ? numberIn(row[0]) : Number.NaN };
  };
  const zone = ofLimit(/API servers.*zone/);
  const kept = ofLimit(/API servers.*keepalive/);
  const addresses = ofLimit(/addresses/);
  const redis = ofLimit(/^one Redis/);
  const manyRedis = ofLimit(/Redis in a cluster/);
  const balancer = ofLimit(/balancer/);
  const redisRate = numberIn(/([\d,]+) `INCR`/.exec(redis.row[0] ?? "")?.[1]);
  const regions = part(/of (\d+) regions, of which one may be lost/);
  const frontEnds = part(/(\d+) front-ends have an address/);
  const logMegabytes = part(/keeps (\d+) MB of it/);

  const inSwarm = machinesInSwarm(addresses.count, frontEnds, large, call);
  const smallInSwarm = machinesInSwarm(addresses.count, frontEnds, small, call);
  const machines = (perSecond: number, cost: Cost, machine: Machine): number =>
    machinesFor(perSecond, cost, machine, plan).machines;
  /** From a hundred million on in regions; below, in one place with one machine to spare. */
  const nodes = (requestsPerSecond: number, perSecond: number, cost: Cost, on: Machine): string =>
    whole(
      requestsPerSecond >= 1e8
        ? inRegions(perSecond, regions, (one) => machines(one, cost, on))
        : withSpare(machinesFor(perSecond, cost, on, plan)),
    );
  const packets = costAt("packets from the visitor", 1);
  const balancers = (perSecond: number): string => {
    const one = (calls: number): number => balancersFor(calls * packets, balancer.count, plan);
    if (perSecond < 1e6) return "–";
    return whole(perSecond >= 1e8 ? inRegions(perSecond, regions, one) : one(perSecond));
  };
  const swarms = (perSecond: number): string => {
    const one = (calls: number): number => Math.ceil(machines(calls, call, large) / inSwarm);
    return whole(perSecond >= 1e8 ? inRegions(perSecond, regions, one) : one(perSecond));
  };

  const row = (name: string, [first, ...said]: Row, follows: (string | undefined)[]): Figure[] =>
    follows.flatMap((one, at) =>
      one === undefined
        ? []
        : [{ where: `${name}, ${first}, ${at + 1}`, said: said[at], follows: one }],
    );
  const cost = (name: string, follows: (string | undefined)[]): Figure[] =>
    row("of one", rowOf(name, costs), follows);
  const limit = (of: { row: Row }, perSecond: number): Figure[] =>
    row("what gives way", of.row, [about(perSecond)]);
  const sentence = (pattern: RegExp, follows: string): Figure => ({
    ...{ where: `${pattern}`, said: pattern.exec(words)?.[1], follows },
  });

  const ofServers = (count: number): number => count * plannedRate(server, plan);
  const visitsOf = (name: string): number => plannedRate(costAt(name, 2), plan);
  const ofNode = (one: Machine): number => plannedRate(call.micros, plan, one.cores);
  return [
    ...cost("µs of the proxy", [decimal(proxy)]),
    ...cost("µs of the API server", [decimal(server), decimal(server)]),
    ...cost("µs of the rest", [decimal(requestsOfCall * rest), whole(requests * rest)]),
    ...cost("µs together", [decimal(call.micros), whole(asShipped.micros)]),
    ...cost(
      "bytes a node sends",
      [wireOf(1), wireOf(2)].map((wire) => whole(sentBytes(wire))),
    ),
    ...cost(
      "bytes a node receives",
      [wireOf(1), wireOf(2)].map((wire) => whole(receivedBytes(wire))),
    ),
    ...tableOf("API calls/s").flatMap((cells) => {
      const perSecond = numberIn(cells[0]);
      return row("API calls/s", cells, [
        about((perSecond * call.micros) / 1e6),
        nodes(perSecond, perSecond, call, small),
        nodes(perSecond, perSecond, call, large),
        swarms(perSecond),
        whole(serversFor(perSecond, call, plan)),
        balancers(perSecond),
        whole(Math.ceil(perSecond / (redisRate * plan.use))),
        about(gigabits(call.wire.toVisitor, perSecond)),
        about(logOfDay(costAt("bytes of log", 1), perSecond)),
      ]);
    }),
    ...tableOf("requests/s").flatMap((cells) => {
      const perSecond = numberIn(cells[0]);
      const visits = perSecond / requests;
      const need = (what: Cost): string =>
        machinesFor(perSecond >= 1e8 ? visits / (regions - 1) : visits, what, large, plan).decides;
      return row("requests/s", cells, [
        whole(visits),
        nodes(perSecond, visits, asShipped, small),
        nodes(perSecond, visits, asShipped, large),
        need(asShipped),
        nodes(perSecond, visits, inAdvance, large),
        need(inAdvance),
        nodes(perSecond, visits, call, large),
        about(gigabits(wireOf(2).toVisitor, visits)),
        about(logOfDay(costAt("bytes of log", 2), visits)),
      ]);
    }),
    ...limit(ofLimit(/^one API server/), ofServers(1)),
    ...limit(ofLimit(/^one proxy/), plannedRate(proxy, plan)),
    ...limit(ofLimit(/^one front-end, as shipped/), visitsOf("µs of the front-end")),
    ...limit(ofLimit(/^one front-end, compressed/), visitsOf("µs of the front-end, not")),
    ...limit(zone, ofServers(zone.count)),
    ...limit(kept, ofServers(kept.count)),
    ...limit(addresses, inSwarm * ofNode(large)),
    ...limit(redis, redisRate * plan.use),
    ...limit(manyRedis, manyRedis.count * redisRate * plan.use),
    ...limit(balancer, (balancer.count * plan.use) / packets),
    ...row("shape", rowOf("one machine", tableOf("shape")), [about(ofNode(small))]),
    ...row("shape", rowOf("one Swarm, as it is", tableOf("shape")), [
      about((smallInSwarm - 1) * ofNode(small)),
    ]),
    ...row("shape", rowOf("one Swarm, two", tableOf("shape")), [
      about((inSwarm - 1) * ofNode(large)),
    ]),
    sentence(/u = ([\d.]+)/, `${plan.use}`),
    sentence(/round reached ([\d.]+) of/, decimal(slowest / rate, 2)),
    sentence(/more than ([\d.]+) cores wants/, decimal(call.micros / proxy)),
    sentence(/(\d+) API servers on 64 cores/, whole(serversOn(large, call))),
    sentence(
      /64 cores take ([\d.]+) GB/,
      decimal((serversOn(large, call) * plan.serverMegabytes) / 1e3),
    ),
    sentence(/that is (\d+) nodes of 64 cores/, whole(inSwarm)),
    sentence(/each API server on (\d+) nodes of 64/, whole(inSwarm)),
    sentence(/nodes of 64 can have (\d+)/, whole(inSwarm * large.cores)),
    sentence(/or (\d+) of 2\b/, whole(smallInSwarm)),
    sentence(
      /its last (\d+) seconds/,
      whole(logKept(logMegabytes, part(/(\d+) bytes of them the proxy's/), ofNode(small))),
    ),
  ];
}

/** What a document says that does not follow, or cannot be read. */
function mistakesIn(text: string): string[] {
  try {
    return figuresOf(text)
      .filter(({ said, follows }) => said !== follows)
      .map(({ where, said, follows }) => `${where}: "${said}" should be "${follows}"`);
  } catch (error) {
    return [String(error)];
  }
}

/** @returns The cell with its first number another one, outside of code; undefined where it has none. */
function changed(cell: string): string | undefined {
  const at = cell.replace(/`[^`]*`/g, (code) => " ".repeat(code.length)).search(/\d/);
  return at < 0 ? undefined : cell.slice(0, at) + ((Number(cell[at]) % 9) + 1) + cell.slice(at + 1);
}

/** From here on the tables are measured, and nothing follows from them. */
const measuredAlone = "## One Swarm, measured";

/** The document with one figure of its tables changed, for each of them. */
function* withChanges(text: string): Generator<[what: string, changed: string]> {
  const lines = text.split("\n");
  for (const [at, line] of lines.slice(0, lines.indexOf(measuredAlone)).entries()) {
    if (!line.startsWith("|") || line.includes("---")) continue;
    if (lines[at + 1]?.includes("---")) continue;
    const cells = line.split("|");
    for (const [column, cell] of cells.entries()) {
      // In words: what ends a shape, and what takes over
      const isSaid = cells.length === 5 && column === 3 && /[a-z]/.test(cell);
      const other = isSaid ? undefined : changed(cell);
      if (other === undefined) continue;
      yield [
        `${line} → ${other.trim()}`,
        lines.with(at, cells.with(column, other).join("|")).join("\n"),
      ];
    }
  }
}

describe("docs/scaling.md", () => {
  it("has no figure that does not follow from its inputs by the model", () => {
    expect(mistakesIn(doc)).toEqual([]);
  });

  it("could not have any figure of its tables changed alone", () => {
    expect(doc).toContain(`\n${measuredAlone}\n`);
    const changes = [...withChanges(doc)];
    expect(changes.length).toBeGreaterThan(100);
    const unnoticed = changes.filter(([, text]) => mistakesIn(text).length === 0);
    expect(unnoticed.map(([what]) => what)).toEqual([]);
  });

  it.each([
    ["u = 0.6", "u = 0.7"],
    ["its last 98 seconds", "its last 99 seconds"],
    ["keeps 100 MB of it", "keeps 200 MB of it"],
    ["10 regions, of which", "5 regions, of which"],
    ["2 front-ends have", "60 front-ends have"],
    ["[20 Gbit/s", "[5 Gbit/s"],
    ["of 64 such cores", "of 48 such cores"],
    ["| 1,000,000 |", "| 2,000,000 |"],
    ["| processor", "| network"],
    ["| of one ", "| of two "],
    ["| µs of the rest", "| µs of all"],
  ])("cannot say %s otherwise: %s", (one, other) => {
    const words = doc.replace(/ {2,}/g, " ");
    expect(mistakesIn(words)).toEqual([]);
    expect(words).toContain(one.replace(/ {2,}/g, " "));
    expect(mistakesIn(words.replace(one, other))).not.toEqual([]);
  });

  it("quotes settings and figures as they are where they stand", () => {
    const proxy = fileOf("production/proxy/proxy.conf");
    for (const setting of ["zone back-end 1m", "keepalive 128"]) {
      expect(doc).toContain(`\`${setting}\``);
      expect(proxy).toContain(`${setting};`);
    }
    expect(doc).toContain("`cpus: 1`");
    expect(fileOf("production/docker-compose.yml")).toMatch(/^ {2}cpus: 1$/m);
    expect(doc).toContain("the 360 requests of one");
    expect(fileOf("production/proxy/limits.conf")).toContain("limit_conn clients 360;");
    expect(doc).toContain("57,208 `INCR` a second");
    expect(fileOf("visitor-counter/README.md")).toMatch(/Redis alone, 32 connections .*\| 57,208 /);
    const benchmark = fileOf("docs/benchmark.md");
    expect(doc).toMatch(/\| MB of an API server \|\n.*\n.*\| +39\.0 \|\n/);
    expect(benchmark).toMatch(/pair of API servers went from [\d.]+ to\s+78\.0 MB/);
    expect(doc).toContain("instead of 15,414");
    expect(benchmark).toMatch(/\| production +\| +15,414 \|/);
    expect(doc).toMatch(/2 cores and 24 GiB/);
    expect(benchmark).toMatch(/2 cores of an AMD EPYC with 24 GiB/);
  });
});

describe("the model of docs/scaling.md", () => {
  const wire = {
    ...{ fromVisitor: 100, toVisitor: 1_000, toServers: 100, fromServers: 300, packetsInside: 2 },
  };
  const cost: Cost = { micros: 100, serverMicros: 50, wire };
  const plan: Plan = { use: 0.5, serverMegabytes: 100 };
  const machine: Machine = {
    ...{ cores: 10, gibibytes: undefined, gigabits: undefined, gigabitsOutside: undefined },
  };

  it("takes as many machines as the scarcest of processor, network and memory", () => {
    // 50,000 a second for ten cores that are half used
    const need = (other: Partial<Machine>) =>
      machinesFor(500_000, cost, { ...machine, ...other }, plan);
    expect(need({})).toEqual({ machines: 10, decides: "processor" });
    // 1,500 bytes of each, so 6 Gbit/s in all, of which 4 to visitors
    expect(sentBytes(wire)).toBe(1_500);
    expect(receivedBytes(wire)).toBe(600);
    expect(need({ gigabits: 1 })).toEqual({ machines: 12, decides: "network" });
    expect(need({ gigabits: 100, gigabitsOutside: 0.5 })).toEqual({
      ...{ machines: 16, decides: "network" },
    });
    // 50 servers of 100 MB each, four to a machine
    expect(need({ gibibytes: 400e6 / 2 ** 30 })).toEqual({ machines: 13, decides: "memory" });
  });

  it("rounds up, and has somebody to spare", () => {
    expect(machinesFor(1, cost, machine, plan).machines).toBe(1);
    expect(machinesFor(50_001, cost, machine, plan).machines).toBe(2);
    expect(withSpare(machinesFor(50_001, cost, machine, plan))).toBe(3);
    expect(balancersFor(1_000, 1_000, plan)).toBe(3);
    // Of three regions two carry it all
    expect(inRegions(100, 3, (one) => one)).toBe(150);
  });

  it("counts API servers by their cores, and nodes by the addresses they take", () => {
    expect(serversFor(10_001, cost, plan)).toBe(2);
    expect(serversOn(machine, cost)).toBe(5);
    expect(machinesInSwarm(253, 2, machine, cost)).toBe(35);
  });

  it("reckons a log by the day, and how long it is kept", () => {
    expect(logOfDay(100, 1_000_000)).toBeCloseTo(8.64);
    expect(logKept(100, 100, 10_000)).toBe(100);
  });
});
