import { type Directive, findDirectives } from "../../../tools/lib/nginx-conf";
import { type ComposeModel, publishedPorts, type Service } from "./compose";

/** The stack of the visitor counter (spec, "Dockerized Visitor Counter", steps 2 and 3). */
export function counterProblems({ services, networks = {} }: ComposeModel): string[] {
  const { webapp = {}, redis = {}, nginx = {} } = services;
  const found = Object.keys(services).sort().join(", ");
  const networksOf = ({ networks: own = {} }: Service): string[] => Object.keys(own);
  const shared = networksOf(redis).filter((name) => networksOf(webapp).includes(name));
  const rules: [boolean, string][] = [
    [found === "nginx, redis, webapp", `the services are ${found}`],
    [webapp.build?.context?.endsWith("visitor-counter/webapp") === true, "webapp is not built"],
    [redis.image === "redis:8", `redis is ${redis.image}`],
    [nginx.image === "nginx:latest", `nginx is ${nginx.image}`],
    [publishedPorts(nginx).join() === "5002:80", `nginx has ports ${publishedPorts(nginx)}`],
    [publishedPorts(redis).length === 0, "redis is published"],
    [publishedPorts(webapp).length === 0, "webapp is published, so it cannot be scaled"],
    [
      redis.volumes?.some(
        ({ type, source, target }) =>
          type === "volume" && source === "redis-data" && target === "/data",
      ) === true,
      "redis has no volume redis-data at /data",
    ],
    [
      webapp.environment?.REDIS_HOST === "redis" && webapp.environment.REDIS_PORT === "6379",
      "webapp is not told where redis is",
    ],
    [webapp.depends_on?.redis?.condition === "service_healthy", "webapp does not wait for redis"],
    [nginx.depends_on?.webapp?.condition === "service_healthy", "nginx does not wait for webapp"],
    [shared.length > 0, "webapp and redis have no network in common"],
    [networksOf(redis).every((name) => networks[name]?.internal === true), "redis has a way out"],
    [
      !networksOf(nginx).some((name) => networksOf(redis).includes(name)),
      "nginx shares a network with redis",
    ],
  ];
  return rules.filter(([kept]) => !kept).map(([, problem]) => problem);
}

/**
 * nginx sends a GET that failed to the next server. A visit may have been counted before, unless
 * the webapp has refused it with 429.
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
 */
export function visitProblems(conf: readonly Directive[]): string[] {
  const count = findDirectives(conf, "location").find(({ args }) => args.join(" ") === "= /count");
  const next = (count?.block ?? []).find(({ name }) => name === "proxy_next_upstream");
  const isSafe = next?.args.every((arg) => ["off", "http_429"].includes(arg));
  return isSafe ? [] : ["nginx sends a visit to a second replica"];
}
