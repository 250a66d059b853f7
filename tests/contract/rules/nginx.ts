import { type Directive, findDirectives } from "../../../tools/lib/nginx-conf";

const inBlock = (parent: Directive | undefined, name: string): Directive[] =>
  (parent?.block ?? []).filter((directive) => directive.name === name);

const upstreamsOf = (conf: readonly Directive[]): Directive[] =>
  conf.filter(({ name }) => name === "upstream");

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
        ...(servers.every(({ args }) => args.includes("resolve") || args.includes("backup"))
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
