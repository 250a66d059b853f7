import path from "node:path";
import { type Directive, findDirectives } from "../../lib/nginx-conf";
import { reads } from "../check";
import { deviate, fail } from "../point";
import { confInImage, confNames, type Subject } from "../subject";
import { readsCompose } from "./compose";

export const routesToServices = readsCompose("upstreams", ["services"], (subject, composeFile) => {
  const { file, directives } = subject.conf("proxy");
  requireServices(subject, Object.keys(composeFile.model.services));
  const location = findDirectives(directives, "location").find(({ args }) =>
    /\/api/.test(args.at(-1) ?? ""),
  );
  const { name: api } = composeFile.service("back-end");
  if (location === undefined) {
    const hint = `Add location /api with proxy_pass to ${api}.`;
    fail("no location is for /api: the front-end gets every request", hint, subject.at(file));
  }
  const prefix = location.args.at(-1) ?? "";
  const pass = location.block?.find(({ name }) => name === "proxy_pass");
  const uri = /^https?:\/\/[^/]+(\/.*)$/.exec(pass?.args[0] ?? "")?.[1];
  if (uri !== undefined && !uri.startsWith(prefix.replace(/\/$/, ""))) {
    const cause = `\`proxy_pass\` ends in \`${uri}\`, which strips ${prefix} from the path`;
    fail(cause, `Write proxy_pass without a path after ${api}.`, subject.at(file, pass?.line));
  }
  const [name, wanted] = [path.posix.basename(file), confNames.proxy];
  if (name !== wanted) deviate(`it is called ${name}`, `The text has ${wanted}.`, subject.at(file));
});

/** Every server to which the proxy's conf sends requests must be a service. */
function requireServices(subject: Subject, services: readonly string[]): void {
  const { file, directives } = subject.conf("proxy");
  const upstreams = findDirectives(directives, "upstream");
  const names = upstreams.map(({ args }) => args[0]);
  const isServer = ({ name }: Directive): boolean => name === "server";
  const servers = upstreams.flatMap(({ block = [] }) => block.filter(isServer));
  for (const { name, args, line } of [...servers, ...findDirectives(directives, "proxy_pass")]) {
    const host = args[0]?.replace(/^https?:\/\//, "").split(/[:/]/, 1)[0] ?? "";
    if (host.startsWith("$") || services.includes(host)) continue;
    if (name === "proxy_pass" && names.includes(host)) continue;
    const what = name === "server" ? "upstream" : "proxy_pass";
    const cause = `${what} \`${host}\` is not a service; the services are ${services.join(", ")}`;
    fail(cause, "Use the service's name.", subject.at(file, line));
  }
}

export const copiesConf = reads("proxy-paths", ["proxy-dockerfile"], (subject) => {
  const name = path.posix.basename(subject.confFile("proxy") ?? confNames.proxy);
  const { text } = subject.dockerfile("proxy");
  const { to, place } = subject.copyOf("proxy", name);
  // It may get there in other ways, by a folder or a template; the live checks show whether it does
  if (to === undefined || to === confInImage || to === path.posix.dirname(confInImage)) return;
  const hint = `Write COPY ./${name} ${confInImage}.`;
  const cause = `${name} is copied to ${to}`;
  const isMain = /^\/etc\/nginx\/(nginx\.conf|templates\/.*)$/.test(to);
  const isNextToDefault = /^\/etc\/nginx\/conf\.d\/[^/]*\.conf$/.test(to);
  const removesDefault = text.split("\n").some((line) => {
    const rm = line.search(/\brm\b/);
    return rm !== -1 && line.includes("default.conf", rm);
  });
  if (isMain || (isNextToDefault && removesDefault)) deviate(cause, hint, place);
  const effect = isNextToDefault
    ? "but nginx's own default.conf next to it responds first"
    : "where nginx does not read it";
  fail(`${cause}, ${effect}`, hint, place);
});
