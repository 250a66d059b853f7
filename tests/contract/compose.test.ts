import { expect, it } from "vitest";
import { portVariable, type Service } from "../../tools/lib/course";
import { composeModel } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";

const stacks: { folder: string; ports: Partial<Record<Service, number>> }[] = [
  { folder: "task4", ports: { "back-end": 5252, "front-end": 9000 } },
  { folder: "task5", ports: { proxy: 80 } },
  { folder: "task6", ports: { proxy: 80 } },
  { folder: "production", ports: { proxy: 80 } },
  { folder: "visitor-counter", ports: { nginx: 80 } },
];

describeOnEngine.each(stacks)("the stack of $folder", ({ folder, ports }) => {
  it.each(Object.entries(ports))("has a variable for the host port of %s", async (name, port) => {
    const env = { [portVariable[name as Service]]: "18080" };
    const { services } = await composeModel(folder, env);
    expect(services[name]?.ports).toMatchObject([{ published: "18080", target: port }]);
  });

  it("has health checks that do not depend on DNS, and are frequent during the start", async () => {
    const { services } = await composeModel(folder);
    for (const service of Object.values(services)) {
      expect(service.healthcheck).toMatchObject({
        test: expect.arrayContaining([expect.stringContaining("127.0.0.1")]),
        start_interval: expect.any(String),
      });
    }
  });
});

const closed = {
  internal: true,
  driver_opts: { "com.docker.network.bridge.inhibit_ipv4": "true" },
};

describeOnEngine.each([
  {
    folder: "production",
    networks: { inside: closed },
    joined: { "back-end": ["inside"], "front-end": ["inside"], proxy: ["edge", "inside"] },
    mounts: [],
  },
  {
    folder: "visitor-counter",
    networks: { web: closed, store: closed },
    joined: { nginx: ["edge", "web"], redis: ["store"], webapp: ["store", "web"] },
    mounts: [{ type: "volume", source: "redis-data", target: "/data" }],
  },
])("the services of $folder", ({ folder, networks, joined, mounts }) => {
  it("restart, rotate their logs, and have few rights and limited resources", async () => {
    for (const service of Object.values((await composeModel(folder)).services)) {
      expect(service).toMatchObject({
        restart: "unless-stopped",
        logging: { driver: "local" },
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        mem_limit: expect.any(String),
        cpus: expect.any(Number),
        pids_limit: expect.any(Number),
      });
      expect(Object.keys(service)).not.toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^(cap_add|container_name|network_mode|privileged)$/),
        ]),
      );
    }
  });

  it("share files with the host and reach other networks only if they must", async () => {
    const model = await composeModel(folder);
    const services = Object.entries(model.services);
    expect(services.flatMap(([, { volumes = [] }]) => volumes)).toMatchObject(mounts);
    const actual = services.map(([name, service]) => [name, Object.keys(service.networks ?? {})]);
    expect(Object.fromEntries(actual)).toEqual(joined);
    expect(model.networks).toMatchObject(networks);
  });
});

describeOnEngine("the visitor counter", () => {
  it("has the images, port and environment of its text", async () => {
    const { services } = await composeModel("visitor-counter");
    const healthy = { condition: "service_healthy" };
    expect(services).toMatchObject({
      webapp: {
        build: { context: expect.stringMatching(/visitor-counter\/webapp$/) },
        environment: { REDIS_HOST: "redis", REDIS_PORT: "6379" },
        depends_on: { redis: healthy },
      },
      redis: { image: "redis:8" },
      nginx: {
        build: { dockerfile_inline: expect.stringMatching(/^FROM nginx:latest\nCOPY nginx.conf /) },
        ports: [{ target: 80, published: "5002" }],
        depends_on: { webapp: healthy },
      },
    });
  });

  it("takes from the environment how Redis writes, but not where it is", async () => {
    const env = { REDIS_HOST: "elsewhere", REDIS_PORT: "7000", APPENDFSYNC: "no" };
    const { services } = await composeModel("visitor-counter", env);
    expect(services.webapp).toMatchObject({
      environment: { REDIS_HOST: "redis", REDIS_PORT: "6379" },
    });
    expect(JSON.stringify(services)).toMatch(/--appendfsync no/);
    expect(JSON.stringify(services)).not.toMatch(/elsewhere|7000/);
  });
});
