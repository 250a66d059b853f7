import path from "node:path";
import { type Directive, findDirectives } from "../../lib/nginx-conf";
import type { Finding } from "../point";
import { readDirectives, unreadable } from "../read";
import { readText } from "../repository";
import { findConf, type Role, type Subject, shown } from "../subject";

/** @returns A conf's directives, or what is wrong with it; without a text, that it is too large. */
export function readConf(
  text: string | undefined,
  file: string,
): { directives: Directive[] } | Finding {
  try {
    const directives = readDirectives(text);
    const open = findOpen(directives);
    if (open === undefined) return { directives };
    throw new Error(`line ${open.line}: "${open.name}" lacks its ";"`);
  } catch (error) {
    const hint = "nginx ends each directive with a semicolon and each block with a brace.";
    return unreadable(error, hint, file);
  }
}

/** Names that begin a line of a conf like the course's, and are never a value in one. */
const starts = new Set(
  "listen server_name root index location proxy_pass proxy_set_header try_files".split(" "),
);

/** @returns A directive without a semicolon: to nginx the next line is more of its arguments. */
function findOpen(directives: readonly Directive[]): Directive | undefined {
  for (const directive of directives) {
    const { name, args } = directive;
    // root is a user, too
    if (name !== "user" && args.some((arg) => starts.has(arg))) return directive;
    const inside = findOpen(directive.block ?? []);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** @returns The proxy's conf, from the task's folder. */
export function findProxyConf({ folder, contexts }: Subject): string | undefined {
  const context = contexts.proxy ?? "proxy";
  const wanted = `${context}/proxy.conf`;
  if (folder.entries.get(wanted) === "file") return wanted;
  return [...folder.entries.keys()].find(
    (file) => path.posix.dirname(file) === context && file.endsWith(".conf"),
  );
}

/** Where a role's nginx listens by its conf; empty where that cannot be told. */
export function listensIn(
  subject: Subject,
  role: Role,
): { port: number; file: string; line: number }[] {
  if (role === "back-end") return [];
  const conf = role === "proxy" ? findProxyConf(subject) : findConf(subject);
  if (conf === undefined) return [];
  const file = shown(subject, conf);
  const read = readConf(readText(subject.folder, conf), file);
  if ("verdict" in read) return [];
  return findDirectives(read.directives, "listen").flatMap(({ args, line }) => {
    const port = /^(?:.*:)?(\d+)$/.exec(args[0] ?? "")?.[1];
    return port === undefined ? [] : [{ port: Number(port), file, line }];
  });
}
