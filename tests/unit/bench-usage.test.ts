import { describe, expect, it } from "vitest";
import { parseUsage, type Reading, usageBetween } from "../../tools/bench/usage";

describe("the usage of a container", () => {
  const lines = "usage_usec 1500000\nmemory 30000000\ninactive_file 7000000\nactive_file 3000000";

  it.each([
    ["v2", lines],
    ["v1", lines.replaceAll(/^(in)?active/gm, "total_$&")],
  ])("is read from the files of cgroup %s", (_, output) => {
    expect(parseUsage(output)).toEqual({ cpuSeconds: 1.5, megabytes: 20 });
  });

  it("is an error if a figure is missing", () => {
    expect(() => parseUsage("usage_usec 1500000\nmemory 30000000")).toThrow("active_file");
  });
});

describe("the usage between two readings", () => {
  const reading = (service: string, cpuSeconds: number, megabytes: number): Reading => {
    return { service, cpuSeconds, megabytes };
  };

  it("adds up the containers of a service, and counts a share of the CPU time", () => {
    const before = [reading("api", 1, 10), reading("api", 2, 10), reading("proxy", 0, 5)];
    const after = [reading("api", 2, 20), reading("api", 4, 30), reading("proxy", 2, 6)];
    expect(usageBetween(before, after, 0.5)).toEqual([
      { service: "api", containers: 2, megabytes: 50, cpuSeconds: 1.5 },
      { service: "proxy", containers: 1, megabytes: 6, cpuSeconds: 1 },
    ]);
  });

  it("is an error if the containers are not the same", () => {
    const [before, after] = [[reading("api", 1, 10)], [reading("proxy", 2, 10)]];
    expect(() => usageBetween(before, after, 1)).toThrow("other containers");
  });
});
