import { beforeEach, describe, expect, it } from "vitest";
import {
  isFailure,
  type News,
  type Outcome,
  shareOf,
  summarize,
  Traffic,
} from "../../production/front-end/scripts/traffic";

let traffic: Traffic;
/** Milliseconds since 1970. Each outcome comes 100 ms after the one before. */
let now: number;

beforeEach(() => {
  traffic = new Traffic();
  now = 1_000_000;
});

const record = (outcome: Partial<Outcome>): void => {
  now += 100;
  traffic.record({ at: now, ms: 5, ...outcome });
};

const respond = (rounds: number, ...servers: string[]): void => {
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) record({ status: 200, reason: "OK", server });
  }
};

const fail = (times: number): void => {
  for (let count = 0; count < times; count += 1) record({ status: 503 });
};

const gone = (): string[] => {
  traffic.findGone(now);
  return traffic.servers.filter(({ isGone }) => isGone).map(({ name }) => name);
};

// What the page shows of it is in tests/browser/load-balancer*.test.ts

describe("Traffic", () => {
  it("counts failed requests without changing the shares", () => {
    respond(1, "a", "b", "c");
    fail(3);
    record({});
    expect([traffic.answered, traffic.failed]).toEqual([3, 4]);
    const shares = traffic.servers.map((server) => shareOf(server, traffic.answered));
    expect(shares).toEqual(["33.3 %", "33.3 %", "33.3 %"]);
  });

  it.each([
    ["the server of a response", { status: 200, server: "a" }, "a"],
    ["a placeholder for a response without a server's name", { status: 200 }, "unnamed"],
    ["no server for a failed request", { status: 500, server: "a" }, undefined],
  ])("returns %s", (_, outcome, name) => {
    expect(traffic.record({ at: now, ms: 5, ...outcome })?.name).toBe(name);
  });

  it.each<[number | undefined, boolean]>([
    [200, false],
    [204, false],
    [304, true],
    [undefined, true],
  ])("takes status %s for a failure: %s", (status, isFailed) => {
    expect(isFailure({ at: 0, ms: 0, ...(status && { status }) })).toBe(isFailed);
  });
});

describe("Traffic.findGone", () => {
  it("marks a server that has missed its turns for two seconds", () => {
    respond(5, "a", "b");
    respond(15, "a");
    expect(gone()).toEqual([]);
    respond(5, "a");
    expect(gone()).toEqual(["b"]);
    expect(traffic.servers.map(({ responses }) => responses)).toEqual([25, 5]);
  });

  it("does not count turns alone, because many requests can end at once", () => {
    respond(1, "b");
    for (let count = 0; count < 50; count += 1) {
      traffic.record({ at: now, ms: 1, status: 200, server: "a" });
    }
    expect(gone()).toEqual([]);
    now += 2_000;
    expect(gone()).toEqual(["b"]);
  });

  it("does not count time alone, because the page may send nothing", () => {
    respond(1, "a", "b");
    now += 3_600_000;
    expect(gone()).toEqual([]);
  });

  it("expects fewer turns of each of many servers", () => {
    respond(30, "a", "b", "c", "d", "e");
    expect(gone()).toEqual([]);
  });
});

describe("the news", () => {
  it("has each change once, however long it lasts", () => {
    respond(2, "a");
    expect(traffic.takeNews()).toEqual([{ what: "new", server: "a" }]);
    fail(20);
    gone();
    fail(20);
    gone();
    expect(traffic.takeNews()).toEqual([{ what: "failing" }, { what: "gone", server: "a" }]);
    respond(1, "a");
    expect(traffic.takeNews()).toEqual([{ what: "recovered" }, { what: "back", server: "a" }]);
    expect(traffic.takeNews()).toEqual([]);
  });

  const about = (what: "new" | "gone" | "back", ...servers: string[]): News[] =>
    servers.map((server) => ({ what, server }));

  it.each<[News[], string]>([
    [[], ""],
    [about("new", "3f2a9c1b7d5e"), "New server: 3f2a9c1b7d5e."],
    [about("new", "a", "b"), "New servers: a and b."],
    [about("new", "a", "b", "c", "d", "e"), "New servers: a, b, c and 2 more."],
    [about("new", "a-very-long-host-name-0042"), "New server: a-very-l…e-0042."],
    [about("gone", "a"), "a no longer responds."],
    [about("gone", "a", "b", "c"), "a, b and c no longer respond."],
    [about("back", "a"), "a responds again."],
    [[...about("gone", "a"), ...about("back", "a")], "a responds again."],
    [[{ what: "failing" }, ...about("gone", "a")], "Requests are failing. a no longer responds."],
    [[{ what: "failing" }, { what: "recovered" }], "Requests succeed again."],
  ])("%j is summarized as %j", (news, text) => {
    expect(summarize(news)).toBe(text);
  });
});
