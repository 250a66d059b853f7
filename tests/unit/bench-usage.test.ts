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
  const reading = (
    service: string,
    cpuSeconds: number,
    megabytes: number,
    at: number,
  ): Reading => ({ service, cpuSeconds, megabytes, at });

  it("adds up the containers of a service", () => {
    const before = [reading("api", 1, 10, 0), reading("api", 2, 10, 0), reading("proxy", 0, 5, 0)];
    const after = [reading("api", 2, 20, 4), reading("api", 4, 30, 4), reading("proxy", 2, 6, 4)];
    expect(usageBetween(before, after)).toEqual([
      { service: "api", containers: 2, megabytes: 50, cores: 0.75 },
      { service: "proxy", containers: 1, megabytes: 6, cores: 0.5 },
    ]);
  });

  it("is an error if the containers are not the same", () => {
    const [before, after] = [[reading("api", 1, 10, 0)], [reading("proxy", 2, 10, 1)]];
    expect(() => usageBetween(before, after)).toThrow("other containers");
  });
});
