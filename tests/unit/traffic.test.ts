import { beforeEach, describe, expect, it } from "vitest";
import {
  isFailure,
  type News,
  type Outcome,
  shareOf,
  shorten,
  Traffic,
  tell,
} from "../../production/front-end/scripts/traffic";

let traffic: Traffic;
/** Milliseconds since 1970; every outcome comes a tenth of a second after the one before. */
let now: number;

beforeEach(() => {
  traffic = new Traffic();
  now = 1_000_000;
});

const record = (outcome: Partial<Outcome>): void => {
  now += 100;
  traffic.record({ at: now, ms: 5, ...outcome });
};

const answer = (...servers: string[]): void => {
  for (const server of servers) record({ status: 200, reason: "OK", server });
};

const fail = (times: number): void => {
  for (let count = 0; count < times; count += 1) record({ status: 503 });
};

const takeTurns = (rounds: number, ...servers: string[]): void => {
  for (let round = 0; round < rounds; round += 1) answer(...servers);
};

const gone = (): string[] => {
  traffic.findGone(now);
  return traffic.servers.filter(({ isGone }) => isGone).map(({ name }) => name);
};

describe("the traffic of the load-balancer page", () => {
  it("counts 100 answers of two servers as 50 and 50", () => {
    takeTurns(50, "a", "b");
    const shares = traffic.servers.map((server) => [
      server.name,
      server.answers,
      shareOf(server, traffic.answered),
    ]);
    expect(shares).toEqual([
      ["a", 50, "50 %"],
      ["b", 50, "50 %"],
    ]);
    expect([traffic.answered, traffic.failed]).toEqual([100, 0]);
  });

  it("counts failures by themselves: they are nobody's, and change nobody's share", () => {
    answer("a");
    fail(3);
    record({});
    expect([traffic.answered, traffic.failed]).toEqual([1, 4]);
    expect(traffic.servers.map((server) => shareOf(server, traffic.answered))).toEqual(["100 %"]);
  });

  it.each<[Partial<Outcome>, boolean]>([
    [{ status: 200 }, false],
    [{ status: 204 }, false],
    [{ status: 304 }, true],
    [{ status: 404 }, true],
    [{ status: 429 }, true],
    [{ status: 500, server: "a" }, true],
    [{ status: 503 }, true],
    [{}, true],
  ])("tells by %j whether a request failed: %s", (outcome, isFailed) => {
    expect(isFailure({ at: 0, ms: 0, ...outcome })).toBe(isFailed);
  });

  it("remembers the last twelve outcomes, the latest first", () => {
    takeTurns(10, "a", "b");
    fail(1);
    expect(traffic.last).toHaveLength(12);
    expect(traffic.last.slice(0, 3).map(({ server, status }) => server ?? status)).toEqual([
      503,
      "b",
      "a",
    ]);
  });

  it("counts an answer without a name, too", () => {
    record({ status: 200 });
    expect(traffic.servers.map(({ name, answers }) => [name, answers])).toEqual([["unnamed", 1]]);
  });

  it("says who answered, and nobody where a request failed", () => {
    const [at, ms] = [now, 5];
    expect(traffic.record({ at, ms, status: 200, server: "a" })?.name).toBe("a");
    expect(traffic.record({ at, ms, status: 500, server: "a" })).toBeUndefined();
  });

  it("gives thirds one decimal", () => {
    answer("a", "b", "c");
    expect(traffic.servers.map((server) => shareOf(server, traffic.answered))).toEqual([
      "33.3 %",
      "33.3 %",
      "33.3 %",
    ]);
  });
});

describe("a server", () => {
  it("is gone once it misses its turns, for two seconds", () => {
    takeTurns(5, "a", "b");
    takeTurns(15, "a");
    expect(gone()).toEqual([]);
    takeTurns(5, "a");
    expect(gone()).toEqual(["b"]);
    expect(traffic.servers.map(({ answers }) => answers)).toEqual([25, 5]);
  });

  it("is not gone because many requests came at once", () => {
    takeTurns(1, "b");
    for (let count = 0; count < 50; count += 1) {
      traffic.record({ at: now, ms: 1, status: 200, server: "a" });
    }
    expect(gone()).toEqual([]);
    now += 2_000;
    expect(gone()).toEqual(["b"]);
  });

  it("is not gone because nobody asks", () => {
    answer("a", "b");
    now += 3_600_000;
    expect(gone()).toEqual([]);
  });

  it("is not gone because others have many", () => {
    takeTurns(30, "a", "b", "c", "d", "e");
    expect(gone()).toEqual([]);
  });

  it("is gone when all requests fail", () => {
    takeTurns(3, "a", "b");
    fail(21);
    expect(gone()).toEqual(["a", "b"]);
    expect(traffic.failed).toBe(21);
  });

  it("is back once it answers", () => {
    answer("a");
    fail(21);
    gone();
    answer("a");
    expect(gone()).toEqual([]);
    expect(traffic.servers).toHaveLength(1);
  });
});

describe("the news", () => {
  it("are taken once", () => {
    answer("a", "b", "a");
    expect(traffic.takeNews()).toEqual([
      { what: "new", server: "a" },
      { what: "new", server: "b" },
    ]);
    expect(traffic.takeNews()).toEqual([]);
  });

  it("tell of failing requests and of lost servers once each, however long it lasts", () => {
    answer("a");
    traffic.takeNews();
    fail(20);
    gone();
    fail(20);
    gone();
    expect(traffic.takeNews()).toEqual([{ what: "failing" }, { what: "gone", server: "a" }]);
    answer("a");
    expect(traffic.takeNews()).toEqual([{ what: "answered again" }, { what: "back", server: "a" }]);
  });

  const about = (what: "new" | "gone" | "back", ...servers: string[]): News[] =>
    servers.map((server) => ({ what, server }));

  it.each<[News[], string]>([
    [[], ""],
    [about("new", "3f2a"), "New server: 3f2a."],
    [about("new", "a", "b"), "New servers: a and b."],
    [about("new", "a", "b", "c", "d", "e"), "New servers: a, b, c and 2 more."],
    [about("gone", "a"), "a no longer responds."],
    [about("gone", "a", "b", "c"), "a, b and c no longer respond."],
    [about("back", "a"), "a responds again."],
    [[...about("gone", "a"), ...about("back", "a")], "a responds again."],
    [[{ what: "failing" }, ...about("gone", "a")], "Requests are failing. a no longer responds."],
    [[{ what: "failing" }, { what: "answered again" }], "Requests succeed again."],
    [about("new", "a-very-long-host-name-0042"), "New server: a-very-l…e-0042."],
  ])("%j are told as %j", (news, text) => {
    expect(tell(news)).toBe(text);
  });

  it("leave a container's id as it is", () => {
    expect(shorten("3f2a9c1b7d5e")).toBe("3f2a9c1b7d5e");
  });
});
