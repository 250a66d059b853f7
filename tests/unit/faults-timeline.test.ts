import { load } from "cheerio";
import { describe, expect, it, vi } from "vitest";
import type { CaseReport } from "../../tools/faults/report";
import { type Drawing, renderTimeline } from "../../tools/faults/timeline";
import { textWidth } from "../../tools/lib/svg";

// picocolors decides when it is imported; in CI it would say yes
vi.hoisted(() => {
  process.env.NO_COLOR = "1";
});

const endS = 10;
const bucketS = 0.1;

/** A case of 10 s. */
const caseWith = (rest: Partial<CaseReport> = {}, servers = 3): CaseReport => ({
  ...{ name: "kill", about: "one server is killed", round: 1, sent: 10_000, lost: 0 },
  ...{ turnedAway: 0, p99Ms: 14, worstMs: 58, evenAfterS: 1.43, missed: [], lostExamples: [] },
  shares: Array.from({ length: servers }, (_, at) => ({
    server: `back-end-${at + 1}`,
    answers: 100,
  })),
  target: { worstMs: 500, evenS: 3 },
  fault: { fromS: 1, toS: 3 },
  events: [],
  bucketS,
  buckets: Array.from({ length: endS / bucketS }, (_, at) => ({
    ...{ atS: at * bucketS, served: 100, turnedAway: 0, lost: 0, worstMs: 20 },
    shares: Array.from({ length: servers }, () => 10),
  })),
  ...rest,
});

const eventsAt = (times: number[], label: string): CaseReport["events"] =>
  times.map((atS, index) => ({ atS, label: `${label} ${index + 1}` }));

const draw = (one: CaseReport, drawing?: Drawing): ReturnType<typeof load> => {
  const origin = { stack: "production", machine: "2 cores", date: new Date(0), connections: 8 };
  return load(renderTimeline(one, origin, drawing), { xml: true });
};

/** Where something is, at its font's size: from the left, from the top. */
interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Boxes of texts of a class, as wide as they may become. */
function boxesOf($: ReturnType<typeof load>, selector: string): Box[] {
  return $(selector)
    .toArray()
    .map((one) => {
      const [x, y] = [Number($(one).attr("x")), Number($(one).attr("y"))];
      const width = textWidth($(one).text(), 12);
      const before = { end: width, middle: width / 2 }[$(one).attr("text-anchor") ?? ""] ?? 0;
      return { left: x - before, right: x - before + width, top: y - 9, bottom: y + 2 };
    });
}

/** Boxes of the vertical lines of events. */
function linesOf($: ReturnType<typeof load>): Box[] {
  return $("path.event")
    .toArray()
    .map((one) => {
      const [x = 0, from = 0, , to = 0] =
        ($(one).attr("d") ?? "").match(/[\d.]+/g)?.map(Number) ?? [];
      return { left: x, right: x, top: Math.min(from, to), bottom: Math.max(from, to) };
    });
}

const overlap = (one: Box, other: Box): boolean =>
  one.left < other.right &&
  other.left < one.right &&
  one.top < other.bottom &&
  other.top < one.bottom;
const cross = (text: Box, line: Box): boolean =>
  line.left > text.left &&
  line.left < text.right &&
  line.top < text.bottom &&
  text.top < line.bottom;

/** How many texts lie on one another, or under a line. */
function collisions(texts: readonly Box[], lines: readonly Box[]): number {
  const onOne = texts.flatMap((one, at) => texts.slice(at + 1).filter((two) => overlap(one, two)));
  const under = texts.flatMap((one) => lines.filter((line) => cross(one, line)));
  return onOne.length + under.length;
}

describe("what the test of labels looks for", () => {
  const text = { left: 0, right: 50, top: 0, bottom: 11 };
  const line = { left: 20, right: 20, top: 5, bottom: 100 };

  it.each<[string, Box[], Box[], number]>([
    ["two texts on one another", [text, { ...text, left: 40, right: 90 }], [], 1],
    ["two texts in different rows", [text, { ...text, top: 17, bottom: 28 }], [], 0],
    ["a line through a text", [text], [line], 1],
    ["a line that ends below a text", [text], [{ ...line, top: 12 }], 0],
  ])("is seen: %s", (_, texts, lines, count) => {
    expect(collisions(texts, lines)).toBe(count);
  });
});

describe.each([960, 340])("events on a timeline %i wide", (width) => {
  const every = (count: number): number[] =>
    Array.from({ length: count }, (_, at) => (at * endS) / count);

  it.each<[string, CaseReport["events"]]>([
    ["one", eventsAt([2], "kill")],
    ["two far apart", eventsAt([1, 8], "kill")],
    ["four within half a second", eventsAt([4, 4.1, 4.3, 4.5], "restart back-end")],
    ["three at once", eventsAt([5, 5, 5], "restart back-end")],
    ["at both ends", eventsAt([0, 0.1, 9.9, 10], "restart back-end")],
    ["after the last bucket", eventsAt([1, 10.4, 10.5], "restart back-end")],
    ["ten", eventsAt(every(10), "restart back-end")],
    ["a hundred", eventsAt(every(100), "restart back-end")],
    ["a hundred at once, at the end", eventsAt(every(100).fill(10), "restart back-end")],
    ["a long one", eventsAt([3], "a label that is longer than any picture is wide ".repeat(8))],
    ["a word without an end", eventsAt([3, 9], "x".repeat(400))],
    ["out of order", eventsAt([8, 2, 5], "restart back-end")],
  ])("have labels that touch neither one another nor a line: %s", (_, events) => {
    const $ = draw(caseWith({ events }), { width });
    const above = boxesOf($, ".event-label, .event-number");
    expect(above.length).toBeGreaterThan(0);
    expect(collisions(boxesOf($, ".event-label"), linesOf($))).toBe(0);
    expect(collisions(above, [])).toBe(0);
    const below = boxesOf($, ".event-text");
    expect(collisions(below, [])).toBe(0);
    for (const { left, right } of [...above, ...below]) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(width);
    }
    const height = Number($("svg").attr("viewBox")?.split(" ")[3]);
    for (const { bottom } of below) expect(bottom).toBeLessThan(height);
  });

  it("are all told, by a label or by a number and a line in the list", () => {
    for (const count of [3, 100]) {
      const $ = draw(caseWith({ events: eventsAt(every(count), "restart back-end") }), { width });
      const told = $(".event-label, .event-text")
        .toArray()
        .map((one) => $(one).text())
        .join(" ");
      for (let number = 1; number <= count; number += 1) {
        expect(told).toMatch(new RegExp(`\\bback-end ${number}\\b`));
      }
    }
  });
});

describe("lost requests on a timeline", () => {
  const losing = (...at: number[]): CaseReport => {
    const { buckets, ...rest } = caseWith({ lost: at.length });
    return {
      ...rest,
      buckets: buckets.map((one, index) => ({ ...one, lost: +at.includes(index) })),
    };
  };

  it("are seen even as one of ten thousand: a mark, and an area of some pixels", () => {
    const $ = draw(losing(50));
    expect($(".lost-mark")).toHaveLength(1);
    const heights = ($("path.lost").attr("d") ?? "").match(/V[\d.]+/g)?.map((y) => +y.slice(1));
    const [usual = 0, raised = 0] = heights ?? [];
    expect(usual - raised).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ["none", [], 0],
    ["in the first bucket", [0], 1],
    ["in the last bucket", [99], 1],
    ["in a row", [10, 11, 12], 1],
    ["here and there", [10, 12, 40], 3],
  ])("have a mark for each time they were lost: %s", (_, at, marks) => {
    const $ = draw(losing(...at));
    expect($(".lost-mark")).toHaveLength(marks);
    expect($("path.lost").length > 0).toBe(at.length > 0);
  });

  it("are counted beside each mark, or beside none", () => {
    expect(draw(losing(10, 80))(".lost-count")).toHaveLength(2);
    expect(draw(losing(10, 12, 80))(".lost-count")).toHaveLength(0);
  });
});

describe("servers on a timeline", () => {
  it.each([1, 3, 12, 40])("each have a band and a name, all %i of them", (servers) => {
    const $ = draw(caseWith({}, servers));
    const outlines = $("path[class*=share-]").toArray();
    expect(outlines).toHaveLength(servers);
    // The topmost is drawn first and is full: 100 %
    const tops = outlines.map((one) => Number(/V([\d.]+)/.exec($(one).attr("d") ?? "")?.[1]));
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    for (let at = 1; at <= servers; at += 1) {
      expect($("text").text()).toContain(`back-end-${at} 100`);
    }
  });

  it("differ in colour or stripes, twelve of them", () => {
    const $ = draw(caseWith({}, 12));
    const looks = $("path[class*=share-]")
      .toArray()
      .map(
        (one) => `${$(one).attr("class")} ${$(one).next("path:not([class*=share-])").attr("fill")}`,
      );
    expect(new Set(looks).size).toBe(12);
  });

  it("with a name too long for the legend have it in full for who asks", () => {
    const server = "a-server-".repeat(40);
    const $ = draw(caseWith({ shares: [{ server, answers: 5 }] }));
    const label = $("g > title").next("text");
    expect(label.text()).toMatch(/…$/);
    expect(textWidth(label.text(), 12)).toBeLessThan(900);
    expect($("g > title").text()).toBe(`${server} 5`);
  });

  it("are said to be unknown where they are", () => {
    expect(draw(caseWith({ shares: [] }, 0))(".unknown").text()).toMatch(/^not known/);
    expect(draw(caseWith())(".unknown")).toHaveLength(0);
  });
});

describe("a timeline", () => {
  it("shades the fault in every panel, where it was", () => {
    const $ = draw(caseWith(), { width: 1_066 });
    const shades = $("rect.fault:not([width=18])").toArray();
    expect(shades).toHaveLength(3);
    for (const shade of shades) {
      expect(Number($(shade).attr("x"))).toBeCloseTo(50 + 100, 0);
      expect(Number($(shade).attr("width"))).toBeCloseTo(200, 0);
    }
  });

  it("has round numbers of seconds on its axis, not too many for a phone", () => {
    const seconds = (width: number): string[] => {
      const $ = draw(caseWith(), { width });
      return $("text.muted[text-anchor=middle]")
        .toArray()
        .map((one) => $(one).text());
    };
    expect(seconds(960)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    expect(seconds(340)).toEqual(["0", "5", "10"]);
  });

  it("shows the target even where everything is far below it", () => {
    const $ = draw(caseWith());
    expect($("path.target")).toHaveLength(1);
    expect($(".on-target").text()).toBe("target 500 ms");
  });

  it("has a title and a description that a screen reader finds", () => {
    const $ = draw(caseWith(), { id: "case-7" });
    expect($("svg").attr("role")).toBe("img");
    expect($("svg").attr("aria-labelledby")).toBe("case-7-title case-7-desc");
    expect($("#case-7-title, #case-7-desc")).toHaveLength(2);
  });

  it.each([
    ["a surrogate alone", "a \ud800 b"],
    ["a character that XML does not have", "a \uffff b"],
    ["a control character", "a \u0008 b"],
  ])("is XML whatever its labels hold: %s", (_, label) => {
    const $ = draw(caseWith({ events: [{ atS: 1, label }] }));
    expect($(".event-label").text()).toBe("a \ufffd b");
  });
});
