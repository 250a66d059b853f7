import path from "node:path";
import { findDirectives } from "../../lib/nginx-conf";
import { type Check, deviates, failed } from "../point";
import { readText } from "../repository";
import { copyOf, readDockerfile, type Subject, shown } from "../subject";
import { findProxyConf, readConf } from "./conf";
import { confInImage } from "./front-end";
import { stackOf } from "./service";

type StackCheck = Check<Subject>;

/** The proxy's conf leads to services of the stack (spec, task 5). */
export const routesToServices: StackCheck = {
  id: "upstreams",
  title: "proxy.conf leads only to services of the stack, without cutting the path",
  needs: ["services"],
  judge: (subject) => {
    const { services, model } = stackOf(subject);
    const conf = findProxyConf(subject);
    const file = shown(
      subject,
      conf ?? path.posix.join(subject.contexts.proxy ?? "", "proxy.conf"),
    );
    if (conf === undefined) return failed("there is no proxy.conf", "Create it.", { file });
    const read = readConf(readText(subject.folder, conf), file);
    if ("verdict" in read) return read;
    const known = Object.keys(model.services);
    const upstreams = findDirectives(read.directives, "upstream");
    const names = upstreams.map(({ args }) => args[0] ?? "");
    const hosts = [
      ...upstreams.flatMap(({ block = [] }) => block.filter(({ name }) => name === "server")),
      ...findDirectives(read.directives, "proxy_pass"),
    ];
    for (const { name, args, line } of hosts) {
      const target = args[0] ?? "";
      const host = target.replace(/^https?:\/\//, "").split(/[:/]/, 1)[0] ?? "";
      if (host.startsWith("$") || known.includes(host)) continue;
      if (name === "proxy_pass" && names.includes(host)) continue;
      const what = name === "server" ? "upstream" : "proxy_pass";
      const cause = `${what} \`${host}\` is no service here; services are ${known.join(", ")}`;
      return failed(cause, "Use the service's name.", { file, line });
    }
    const api = findDirectives(read.directives, "location").find(({ args }) =>
      /\/api/.test(args.at(-1) ?? ""),
    );
    if (api === undefined) {
      const cause = "no location is for /api, so all goes to the front-end";
      return failed(cause, `Add location /api with proxy_pass to ${services["back-end"]}.`, {
        file,
      });
    }
    const pass = api?.block?.find(({ name }) => name === "proxy_pass");
    const uri = /^https?:\/\/[^/]+(\/.*)$/.exec(pass?.args[0] ?? "")?.[1];
    if (uri !== undefined && !uri.startsWith(api?.args.at(-1)?.replace(/\/$/, "") ?? "/api")) {
      const cause = `\`proxy_pass\` ends in \`${uri}\`, which strips ${api?.args.at(-1)} from the path`;
      return failed(cause, `Write proxy_pass without a path behind ${services["back-end"]}.`, {
        file,
        ...(pass && { line: pass.line }),
      });
    }
    return path.posix.basename(conf) === "proxy.conf"
      ? undefined
      : deviates(`it is called ${path.posix.basename(conf)}`, "The text has proxy.conf.", { file });
  },
};

/** The proxy's conf is copied to where nginx reads it (spec, task 5). */
export const copiesProxyConf: StackCheck = {
  id: "proxy-paths",
  title: `proxy.conf is copied to ${confInImage}`,
  needs: ["proxy-dockerfile"],
  judge: (subject) => {
    const name = path.posix.basename(findProxyConf(subject) ?? "proxy.conf");
    const { file = "", text = "" } = readDockerfile(subject, "proxy") ?? {};
    const copy = copyOf(subject, "proxy", name);
    // It may come there in other ways, by a folder or by a template; whether it does is seen later
    if (copy === undefined || copy.to === confInImage) return undefined;
    if (path.posix.basename(copy.to) !== name && copy.to === path.posix.dirname(confInImage)) {
      return undefined;
    }
    const hint = `Write COPY ./${name} ${confInImage}.`;
    const at = { file: shown(subject, file), line: copy.line };
    const isWhole = /^\/etc\/nginx\/(nginx\.conf|templates\/.*)$/.test(copy.to);
    const isBeside = /^\/etc\/nginx\/conf\.d\/[^/]*\.conf$/.test(copy.to);
    if (isWhole || (isBeside && text.split("\n").some(removesDefaultConf))) {
      return deviates(`${name} is copied to ${copy.to}`, hint, at);
    }
    const cause = isBeside
      ? `${name} is copied to ${copy.to}, but nginx's own default.conf beside it answers first`
      : `${name} is copied to ${copy.to}, where nginx does not read it`;
    return failed(cause, hint, at);
  },
};

function removesDefaultConf(line: string): boolean {
  const rm = line.search(/\brm\b/);
  return rm !== -1 && line.includes("default.conf", rm);
}
