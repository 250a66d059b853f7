import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { withDeadline } from "../../tools/lib/deadline";

const options = ["working", 100] as const;
const endless = (): never => {
  for (;;);
};

describe("withDeadline", () => {
  it("returns what the work returns", () => {
    const value = { a: 1 };
    expect(withDeadline(() => value, "working")).toBe(value);
  });

  it("throws what the work throws", () => {
    const error = new TypeError("no");
    const work = (): never => {
      throw error;
    };
    expect(() => withDeadline(work, "working")).toThrow(error);
  });

  it.each<[string, () => unknown]>([
    ["a loop", endless],
    ["a regular expression", () => /^(a+)+$/.test(`${"a".repeat(40)}b`)],
    ["yaml", () => parseDocument(`[${",".repeat(100_000)}]`)],
  ])("ends %s in time", (_, work) => {
    expect(() => withDeadline(work, ...options)).toThrow(/^timed out after 0\.1 s working$/);
  });

  it("can be nested: the shorter time counts, and the outer work continues", () => {
    const inner = (): string => {
      expect(() => withDeadline(endless, "inside", 20)).toThrow(/inside$/);
      return withDeadline(() => "went on", "working");
    };
    expect(withDeadline(inner, "outside")).toBe("went on");
    const outer = (): never => withDeadline(endless, "inside");
    expect(() => withDeadline(outer, ...options)).toThrow(/^timed out/);
  });
});
