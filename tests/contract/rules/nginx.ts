import { type Directive, findDirectives } from "../../../tools/lib/nginx-conf";

const inBlock = (parent: Directive | undefined, name: string): Directive[] =>
  (parent?.block ?? []).filter((directive) => directive.name === name);

/** The one `server` block, listening on one port (spec, tasks 2 and 5). */
function serverProblems(conf: readonly Directive[], port: string): string[] {
  const servers = findDirectives(conf, "server").filter(({ block }) => block !== undefined);
  if (servers.length !== 1) return [`there are ${servers.length} server blocks`];
  const [server] = servers;
  const ports = inBlock(server, "listen").map(({ args }) => args[0]?.replace(/^.*:/, ""));
  const named = (name: string): boolean => (inBlock(server, name)[0]?.args.length ?? 0) > 0;
  return [
    ...(ports.length > 0 && ports.every((found) => found === port)
      ? []
      : [`it listens on ${ports.join(", ") || "nothing it names"}, not ${port}`]),
    ...["server_name", "location"].filter((name) => !named(name)).map((name) => `no ${name}`),
  ];
}

/** The front-end's conf: a `server` section and no other (spec, task 2). */
export function siteProblems(conf: readonly Directive[]): string[] {
  const root = "/var/www/html/softy-pinko-front-end";
  const others = conf.filter(({ name }) => name !== "server");
  return [
    ...serverProblems(conf, "9000"),
    ...others.map(({ name, line }) => `line ${line}: ${name} stands beside the server`),
    ...(findDirectives(conf, "index")[0]?.args.includes("index.html") ? [] : ["no index"]),
    ...(findDirectives(conf, "root")[0]?.args[0] === root ? [] : [`its root is not ${root}`]),
  ];
}

const upstreamsOf = (conf: readonly Directive[]): Directive[] =>
  conf.filter(({ name }) => name === "upstream");

/**
 * The proxy's conf: `/` goes to the front-end, `/api` to the back-end (spec, task 5).
 * @param services The names in the compose file, which are the only hosts that Docker's DNS knows.
 */
export function proxyProblems(conf: readonly Directive[], services: readonly string[]): string[] {
  const upstreams = upstreamsOf(conf);
  const addresses = (name: string): Set<string> => {
    const servers = upstreams
      .filter(({ args }) => args[0] === name)
      .flatMap((upstream) => inBlock(upstream, "server"));
    return new Set(servers.map(({ args }) => args[0] ?? ""));
  };
  const expected = { "front-end": "front-end:9000", "back-end": "back-end:5252" };
  const hosts = upstreams.flatMap((upstream) => inBlock(upstream, "server"));
  return [
    ...serverProblems(conf, "80"),
    ...Object.entries(expected)
      .filter(([name, address]) => [...addresses(name)].join() !== address)
      .map(([name, address]) => `upstream ${name} is not ${address}`),
    ...hosts
      .filter(({ args }) => !services.includes(args[0]?.replace(/:.*/, "") ?? ""))
      .map(({ args, line }) => `line ${line}: ${args[0]} is no service`),
    ...targetProblems(conf),
    ...locationProblems(conf, "/", "front-end"),
    ...locationProblems(conf, "/api", "back-end"),
  ];
}

function locationProblems(conf: readonly Directive[], path: string, upstream: string): string[] {
  const location = findDirectives(conf, "location").find(({ args }) => args.join(" ") === path);
  if (location === undefined) return [`no location ${path}`];
  const target = inBlock(location, "proxy_pass")[0]?.args[0];
  return target?.startsWith(`http://${upstream}`)
    ? []
    : [`location ${path} goes to ${target}, not to ${upstream}`];
}

/**
 * With a URI behind the host, even a slash, nginx cuts the location's prefix off the path.
 * https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
 */
function targetProblems(conf: readonly Directive[]): string[] {
  const names = upstreamsOf(conf).map(({ args }) => args[0]);
  return findDirectives(conf, "proxy_pass").flatMap(({ args, line }) =>
    valuesOf(args[0] ?? "", conf).flatMap((target) => {
      const [, host, uri] = /^http:\/\/([^/]*)(.*)$/.exec(target) ?? [];
      if (!names.includes(host)) return [`line ${line}: ${target} is no upstream`];
      return uri === "" ? [] : [`line ${line}: the URI ${uri} replaces the location's path`];
    }),
  );
}

/** What a text with a variable may come to, where a `map` says so; otherwise the text as it is. */
function valuesOf(text: string, conf: readonly Directive[]): string[] {
  const map = findDirectives(conf, "map").find(({ args }) => text.includes(args[1] ?? ""));
  const variable = map?.args[1] ?? "";
  return map?.block?.map(({ args }) => text.replace(variable, args[0] ?? "")) ?? [text];
}

/**
 * What exact rotation over replicas that come and go needs (spec, task 6: "every request goes to
 * the next API server"), of each upstream that a `proxy_pass` names.
 * https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve
 */
export function balancingProblems(conf: readonly Directive[]): string[] {
  const methods = ["ip_hash", "least_conn", "random", "hash", "least_time"];
  const targets = findDirectives(conf, "proxy_pass").map(({ args }) => args[0]);
  const isAskedFirst = ({ args }: Directive): boolean => targets.includes(`http://${args[0]}`);
  return upstreamsOf(conf)
    .filter(isAskedFirst)
    .flatMap((upstream) => {
      const name = upstream.args[0];
      const resolver = [...inBlock(upstream, "resolver"), ...conf].find(
        (directive) => directive.name === "resolver",
      );
      const servers = inBlock(upstream, "server");
      return [
        ...(inBlock(upstream, "zone").length === 1
          ? []
          : [`${name}: each worker rotates by itself`]),
        ...(servers.every(({ args }) => args.includes("resolve"))
          ? []
          : [`${name}: new replicas are not noticed`]),
        ...(servers.some(({ args }) => args.some((arg) => arg.startsWith("weight=")))
          ? [`${name}: weights are not round robin`]
          : []),
        ...(resolver?.args[0] === "127.0.0.11" && resolver.args.includes("valid=1s")
          ? []
          : [`${name}: Docker's DNS is not asked each second`]),
        ...methods
          .filter((method) => inBlock(upstream, method).length > 0)
          .map((method) => `${name}: ${method} is not round robin`),
      ];
    });
}
