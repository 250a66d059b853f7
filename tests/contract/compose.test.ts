import { expect, it } from "vitest";
import { composeModel } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";

// That ports, limits, rights and networks have an effect is in tests/stack/hardening.test.ts

describeOnEngine("every stack", () => {
  it.each(["task4", "task5", "task6", "production", "visitor-counter"])(
    "has health checks that do not depend on DNS, and are frequent during the start: %s",
    async (folder) => {
      for (const service of Object.values((await composeModel(folder)).services)) {
        expect(service.healthcheck).toMatchObject({
          test: expect.arrayContaining([expect.stringContaining("127.0.0.1")]),
          start_interval: expect.any(String),
        });
      }
    },
  );

  it.each([
    ["production", []],
    [
      "visitor-counter",
      [
        { type: "bind", target: "/etc/nginx/conf.d/default.conf", read_only: true },
        { type: "volume", source: "redis-data", target: "/data" },
      ],
    ],
  ])("restarts, rotates its logs, and shares few files: %s", async (folder, mounts) => {
    const services = Object.values((await composeModel(folder)).services);
    for (const service of services) {
      expect(service).toMatchObject({ restart: "unless-stopped", logging: { driver: "local" } });
    }
    expect(services.flatMap(({ volumes = [] }) => volumes)).toMatchObject(mounts);
  });
});

describeOnEngine("docker-compose.https.yml", () => {
  it("adds a service with few rights that ends, and a port and a folder to the proxy", async () => {
    const plain = await composeModel("production");
    const files = { COMPOSE_FILE: "docker-compose.yml:docker-compose.https.yml" };
    const { https, proxy, ...others } = (await composeModel("production", files)).services;
    expect({ ...others, proxy: plain.services.proxy }).toEqual(plain.services);
    expect(proxy).toMatchObject({
      ...plain.services.proxy,
      depends_on: { https: { condition: "service_completed_successfully", restart: true } },
      ports: [{ target: 80 }, { target: 443, published: "443" }],
      volumes: [{ source: "https", target: "/etc/nginx/https", read_only: true }],
    });
    expect(https).toMatchObject({
      ...{ network_mode: "none", user: "101:101", read_only: true, cap_drop: ["ALL"] },
      ...{ security_opt: ["no-new-privileges:true"], logging: { driver: "local" } },
      ...{ mem_limit: expect.any(String), cpus: expect.any(Number), pids_limit: 32 },
      volumes: [{ target: "/https" }, { target: "/own", read_only: true }],
    });
    expect(https).not.toHaveProperty("restart");
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
        image: "nginx:latest",
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
