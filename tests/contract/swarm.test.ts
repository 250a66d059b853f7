import { expect, it } from "vitest";
import { parse } from "yaml";
import { argv } from "../../tools/lib/argv";
import type { ComposeModel, ComposeService } from "../../tools/lib/compose-model";
import { composeModel, readModel } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";

/** Reads a folder's stack as Swarm's client understands it. */
async function swarmModel(
  folder: string,
  files: readonly string[] = ["docker-stack.yml"],
  env: NodeJS.ProcessEnv = {},
): Promise<ComposeModel> {
  const options = files.map((file) => `--compose-file=${file}`);
  return parse(await readModel(argv`stack config ${options}`, folder, env)) as ComposeModel;
}

/** What the two formats have in common, in one form. */
function comparable(
  { services, networks = {} }: ComposeModel,
  byFormat: (service: ComposeService) => { tmpfs: string[]; limits: object },
): object {
  const ofService = (service: ComposeService): object => ({
    image: service.image?.replace(/:(production|latest)$/, ""),
    user: service.user,
    read_only: service.read_only,
    cap_drop: service.cap_drop,
    cap_add: service.cap_add,
    logging: service.logging,
    healthcheck: service.healthcheck,
    command: service.command ?? undefined,
    environment: service.environment ?? undefined,
    networks: Object.keys(service.networks ?? {}).sort(),
    ...byFormat(service),
  });
  const entries = <Value>(object: Record<string, Value>, map: (value: Value) => unknown) =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
  return {
    services: entries(services, ofService),
    networks: entries(networks, (network) => network?.internal ?? false),
  };
}

const ofCompose = ({ tmpfs = [], mem_limit, cpus, pids_limit }: ComposeService) => ({
  tmpfs: [...tmpfs].sort(),
  limits: { memory: Number(mem_limit), cpus: Number(cpus), pids: pids_limit },
});

/** Swarm has no `tmpfs` with an owner: volumes in memory, not filled from the image, replace it. */
const ofSwarm =
  (model: ComposeModel) =>
  ({ volumes = [], deploy }: ComposeService) => {
    const tmpfs = volumes.flatMap(({ source = "", target, volume }) => {
      const { type, o = "" } = model.volumes?.[source]?.driver_opts ?? {};
      if (type !== "tmpfs") return [];
      return `${target}:${volume?.nocopy ? o.split(",")[0] : "copied from the image"}`;
    });
    const { memory, cpus, pids } = deploy?.resources?.limits ?? {};
    return {
      tmpfs: tmpfs.sort(),
      limits: { memory: Number(memory), cpus: Number(cpus), pids },
    };
  };

/** Swarm's balancer off, and updates that Swarm rolls back if they fail. */
const updated = (order: "start-first" | "stop-first") => ({
  endpoint_mode: "dnsrr",
  update_config: { order, failure_action: "rollback" },
  rollback_config: { order },
});
// Two tasks cannot have the same port, or the same disk, at once
const onePerNode = {
  deploy: { mode: "global", ...updated("stop-first") },
  ports: [{ mode: "host", target: 80 }],
};
const onItsNode = {
  deploy: { ...updated("stop-first"), placement: { constraints: ["node.labels.store == here"] } },
};
const replicated = { deploy: { replicas: expect.any(Number), ...updated("start-first") } };

describeOnEngine.each([
  {
    folder: "production",
    built: ["back-end", "front-end", "proxy"],
    services: { "back-end": replicated, "front-end": replicated, proxy: onePerNode },
  },
  {
    folder: "visitor-counter",
    built: ["nginx", "webapp"],
    services: { webapp: replicated, redis: onItsNode, nginx: onePerNode },
  },
])("the stack of $folder for a Swarm", ({ folder, built, services }) => {
  it("equals the one for Compose in everything that both formats have", async () => {
    const swarm = await swarmModel(folder);
    const compose = await composeModel(folder);
    expect(comparable(swarm, ofSwarm(swarm))).toEqual(comparable(compose, ofCompose));
  });

  it("is balanced by nginx, and updated without a gap", async () => {
    expect((await swarmModel(folder)).services).toMatchObject(services);
  });

  it("takes its built images from a registry, at a version", async () => {
    const env = { REGISTRY: "registry.example/team/", TAG: "v2" };
    const model = await swarmModel(folder, undefined, env);
    const fromRegistry = Object.entries(model.services)
      .filter(([, { image = "" }]) => /^registry\.example\/team\/[\w-]+:v2$/.test(image))
      .map(([name]) => name);
    expect(fromRegistry).toEqual(built);
  });
});

describeOnEngine("docker-stack.encrypted.yml", () => {
  it("encrypts the traffic between nodes, and changes nothing else", async () => {
    const plain = await swarmModel("production");
    const files = ["docker-stack.yml", "docker-stack.encrypted.yml"];
    const inside = { ...plain.networks?.inside, driver_opts: { encrypted: "" } };
    expect(await swarmModel("production", files)).toEqual({
      ...plain,
      networks: { ...plain.networks, inside },
    });
  });
});
