import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { root } from "../../tools/lib/course";
import { parseDockerfile } from "../../tools/lib/dockerfile";
import { parseNginxConf } from "../../tools/lib/nginx-conf";
import { modelOf, portsAsInTheText } from "../lib/compose-model";
import { describeOnEngine } from "../lib/stacks";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import { broken } from "./rules/broken";
import {
  type ComposeModel,
  fileProblems,
  hardeningProblems,
  healthProblems,
  operationProblems,
  publishedPorts,
} from "./rules/compose";
import { contextProblems, npmProblems } from "./rules/dockerfile";
import { importProblems } from "./rules/repository";
import { counterProblems, visitProblems } from "./rules/visitor-counter";

const folder = "visitor-counter";
const conf = "/etc/nginx/conf.d/default.conf";

describeOnEngine("the visitor counter's stack", () => {
  it("has the text's services, images, port and volume", async () => {
    expect(counterProblems(await modelOf(folder))).toEqual([]);
  });

  it("can be watched, scaled and left alone", async () => {
    const model = await modelOf(folder);
    expect([...operationProblems(model, [conf]), ...healthProblems(model)]).toEqual([]);
  });

  it("gives no service more rights than it needs", async () => {
    expect(hardeningProblems(await modelOf(folder))).toEqual([]);
  });

  it("says nothing that Compose ignores", () => {
    const document = parse(readRepositoryFile(folder, "docker-compose.yml"), { merge: true });
    expect(fileProblems(document as Record<string, unknown>)).toEqual([]);
  });

  it("can be changed in .env and in the shell alone", async () => {
    const env = { ...portsAsInTheText, WEB_PORT: "18080", REDIS_PORT: "7000", APPENDFSYNC: "no" };
    const { services } = await modelOf(folder, env);
    expect(publishedPorts(services.nginx ?? {})).toEqual(["18080:80"]);
    expect(services.webapp?.environment?.REDIS_PORT).toBe("7000");
    const redis = JSON.stringify(services.redis);
    expect(redis).toContain("--port 7000");
    expect(redis).toContain("--appendfsync no");
    expect(redis).not.toContain("6379");
  });
});

describe("the visitor counter's files", () => {
  const webapp = `${folder}/webapp`;

  it("send no visit twice", () => {
    const directives = parseNginxConf(readRepositoryFile(folder, "nginx.conf"));
    expect(visitProblems(directives)).toEqual([]);
  });

  it("build an image that stands alone, from what is locked", () => {
    const stages = parseDockerfile(readRepositoryFile(webapp, "Dockerfile"));
    const dockerignore = readRepositoryFile(webapp, ".dockerignore");
    expect([...npmProblems(stages, dockerignore), ...contextProblems(stages)]).toEqual([]);
  });

  it("import only what package.json names", async () => {
    const { dependencies } = JSON.parse(readRepositoryFile(webapp, "package.json")) as {
      dependencies: Record<string, string>;
    };
    const programs = (await listRepositoryFiles(webapp)).filter((file) => file.endsWith(".ts"));
    expect(programs).toEqual(["app.ts", "pages.ts", "server.ts", "store.ts"]);
    const problems = programs.flatMap((file) =>
      importProblems(file, readRepositoryFile(webapp, file), Object.keys(dependencies)),
    );
    expect(problems).toEqual([]);
  });

  it("are told in a README with every file in its tree", async () => {
    const readme = readRepositoryFile(folder, "README.md");
    const files = (await listRepositoryFiles(folder)).map((file) => path.basename(file));
    expect(files.filter((file) => !readme.includes(file))).toEqual([]);
    expect(existsSync(path.join(root, folder, ".env"))).toBe(true);
  });
});

describe("a visitor counter fails", () => {
  const good: ComposeModel = {
    services: {
      webapp: {
        build: { context: "/x/visitor-counter/webapp" },
        environment: { REDIS_HOST: "redis", REDIS_PORT: "6379" },
        depends_on: { redis: { condition: "service_healthy" } },
        networks: { web: null, store: null },
      },
      redis: {
        image: "redis:8",
        volumes: [{ type: "volume", source: "redis-data", target: "/data" }],
        networks: { store: null },
      },
      nginx: {
        image: "nginx:latest",
        ports: [{ target: 80, published: "5002" }],
        depends_on: { webapp: { condition: "service_healthy" } },
        networks: { web: null },
      },
    },
    networks: { web: null, store: { internal: true } },
  };

  it("in nothing when it keeps the rules", () => {
    expect(counterProblems(good)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ["another name", '"webapp":', '"web":', "the services are nginx, redis, web"],
    ["an image that is not built", "/visitor-counter/webapp", "/y", "webapp is not built"],
    ["an older Redis", "redis:8", "redis:7", "redis is redis:7"],
    ["another nginx", "nginx:latest", "nginx:1.26", "nginx is nginx:1.26"],
    ["another port", "5002", "5000", "nginx has ports 5000:80"],
    [
      "an open Redis",
      '"image":"redis:8"',
      '"image":"redis:8","ports":[{"target":6379}]',
      "redis is published",
    ],
    [
      "an open webapp",
      '"environment"',
      '"ports":[{"target":5000}],"environment"',
      "webapp is published, so it cannot be scaled",
    ],
    ["a volume elsewhere", '"/data"', '"/var/data"', "redis has no volume redis-data at /data"],
    ["a hidden store", '"REDIS_HOST"', '"HOST"', "webapp is not told where redis is"],
    ["no wait for Redis", "service_healthy", "service_started", "webapp does not wait for redis"],
    ["a store with a way out", '"internal":true', '"internal":false', "redis has a way out"],
    ["networks apart", '"web":null,"store":null', '"web":null', "webapp and redis have no network"],
    [
      "nginx beside Redis",
      '"networks":{"web":null}',
      '"networks":{"web":null,"store":null}',
      "nginx shares a network with redis",
    ],
  ])("with %s", (_, from, to, problem) => {
    const model = JSON.parse(broken(JSON.stringify(good), from, to)) as ComposeModel;
    expect(counterProblems(model)).toContainEqual(expect.stringContaining(problem));
  });

  it.each(["", "proxy_next_upstream error timeout;"])(
    "with the next replica by %j",
    (directive) => {
      const directives = parseNginxConf(`server { location = /count { ${directive} } }\n`);
      expect(visitProblems(directives)).toEqual(["nginx sends a visit to a second replica"]);
    },
  );
});
