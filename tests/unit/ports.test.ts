import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { freePort, portFrom, requirePorts } from "../../tools/lib/ports";
import { fakeMachine } from "../lib/fake-machine";

afterEach(() => {
  vi.unstubAllEnvs();
});

it.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ["1", 1],
  ["8080", 8_080],
  ["65535", 65_535],
])("the variable %j is the port %j", (value, port) => {
  vi.stubEnv("WEB_PORT", value);
  expect(portFrom("WEB_PORT")).toBe(port);
});

it.each(["", "0", "65536", "-1", "80.0", " 80", "1e3", "abc", "127.0.0.1:8080", "80:80"])(
  "the variable %j is not a port",
  (value) => {
    vi.stubEnv("WEB_PORT", value);
    expect(() => portFrom("WEB_PORT")).toThrow(
      `WEB_PORT is "${value}": set it to a whole number from 1 to 65535.`,
    );
  },
);

it("a free port can be published, but not twice", async () => {
  const wanted = { port: await freePort(), variable: "A_PORT" };
  await requirePorts([wanted]);
  await expect(requirePorts([wanted, { ...wanted, variable: "B_PORT" }])).rejects.toThrow(
    `port ${wanted.port} is wanted twice: set B_PORT to another one.`,
  );
});

it.each([
  ["A_PORT", ", or set A_PORT=8080."],
  [undefined, "."],
])("a port in use cannot be published; its variable is %s", async (variable, remedy) => {
  const holder = createServer().listen(0);
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  await expect(requirePorts([{ port, variable }])).rejects.toThrow(
    `port ${port} is in use: stop the program that listens there${remedy}`,
  );
  holder.close();
});

it.each(["rootless", "seccomp"])("port 1 can be published if the engine may: %s", async (kind) => {
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const isRestricted = kind === "rootless" && Number(readFileSync(file, "utf8")) > 1;
  const { PATH, remove } = fakeMachine({
    engine: "28.5.2",
    info: { SecurityOptions: [`name=${kind}`] },
  });
  vi.stubEnv("PATH", PATH);
  const outcome = await requirePorts([{ port: 1, variable: "A_PORT" }]).catch(String);
  remove();
  expect(outcome).toBe(
    isRestricted
      ? "UserError: a rootless engine may not publish port 1: sudo sysctl net.ipv4.ip_unprivileged_port_start=1, or set A_PORT=8080."
      : undefined,
  );
});
