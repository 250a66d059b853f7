import path from "node:path";
import { findDirectives } from "../../lib/nginx-conf";
import { attempt } from "../../lib/run";
import { type Check, deviates, type Finding, failed } from "../point";
import { readText } from "../repository";
import { askUntilAnswered, bounds } from "../sandbox";
import { confName, copyOf, findConf, type Subject, shown } from "../subject";
import { readConf } from "./conf";

type SubjectCheck = Check<Subject>;

const siteFolder = "softy-pinko-front-end";
const siteInImage = "/var/www/html/softy-pinko-front-end";
export const confInImage = "/etc/nginx/conf.d/default.conf";

/** @returns The front page, from the task's folder: the outermost index.html of the front-end. */
export function findPage({ folder, contexts }: Subject): string | undefined {
  const context = contexts["front-end"];
  if (context === undefined) return undefined;
  return [...folder.entries.keys()]
    .filter((file) => file.startsWith(`${context}/`) && /(^|\/)index\.html?$/.test(file))
    .sort((a, b) => a.split("/").length - b.split("/").length)[0];
}

/** The site's files are in the repository (spec, task 2). */
export const hasSite: SubjectCheck = {
  id: "site",
  title: "the site's files are in front-end/softy-pinko-front-end",
  judge: (subject) => {
    const { folder, contexts } = subject;
    const site = path.posix.join(contexts["front-end"] ?? "front-end", siteFolder);
    const at = { file: shown(subject, site) };
    const kind = folder.entries.get(site);
    if (kind === "empty folder") {
      const cause = "it is empty: perhaps a git link (submodule)";
      const hint =
        "Clone with --recurse-submodules, or remove its .git folder and commit its files.";
      return failed(cause, hint, at);
    }
    const page = findPage(subject);
    if (page === undefined)
      return failed("there is no index.html in it", "Clone the site there.", at);
    return page === `${site}/index.html`
      ? undefined
      : deviates(`the site is in ${path.posix.dirname(page)}`, `The text has ${site}.`, at);
  },
};

/** nginx's configuration is there, under the text's name, and nginx can read it (spec, task 2). */
export const hasConf: SubjectCheck = {
  id: "conf",
  title: `front-end/${confName} is an nginx configuration`,
  judge: (subject) => {
    const conf = findConf(subject);
    const file = shown(subject, conf ?? path.posix.join("front-end", confName));
    if (conf === undefined) return failed("there is no such file", "Create it.", { file });
    const read = readConf(readText(subject.folder, conf), file);
    if ("verdict" in read) return read;
    return path.posix.basename(conf) === confName
      ? undefined
      : deviates(`it is called ${path.posix.basename(conf)}`, `The text has ${confName}.`, {
          file,
        });
  },
};

/**
 * The site and the conf are where the text wants them in the image (spec, task 2). Elsewhere will do
 * where nginx finds them there.
 */
export const hasPathsInImage: SubjectCheck = {
  id: "paths",
  isLive: true,
  title: `the image has the site in ${siteInImage} and the conf in ${confInImage}`,
  needs: ["front-end-build", "conf"],
  judge: async (subject) => {
    const conf = findConf(subject) ?? "";
    const text = readText(subject.folder, conf) ?? "";
    const read = readConf(text, conf);
    const root = "verdict" in read ? undefined : findDirectives(read.directives, "root")[0];
    const pages = [siteInImage, root?.args[0] ?? siteInImage].map((at) => `${at}/index.html`);
    const [isThere, isAtRoot, own, all] = await printedIn(subject, [
      ...pages.map((page) => `test -f '${page.replaceAll("'", "")}' && echo yes`),
      `cat ${confInImage}`,
      "nginx -T 2>&1",
    ]);
    const file = shown(subject, subject.contexts["front-end"] ?? "", "Dockerfile");
    const confCopy = copyOf(subject, "front-end", path.posix.basename(conf));
    const isConf = squeeze(own ?? "") === squeeze(text) || confCopy?.to === confInImage;
    if (!isConf) {
      const at = { file, ...(confCopy && { line: confCopy.line }) };
      const hint = `Write COPY ./${path.posix.basename(conf)} ${confInImage}.`;
      const isRead = squeeze(all ?? "").includes(squeeze(text));
      if (isRead) return deviates(`the conf is copied to ${confCopy?.to ?? "elsewhere"}`, hint, at);
      const cause =
        confCopy === undefined
          ? "the conf is not copied into it"
          : `the conf is copied to ${confCopy.to}, where nginx does not read it`;
      return failed(cause, hint, at);
    }
    if (isThere !== "yes") {
      const copy = copyOf(subject, "front-end", siteFolder);
      const at = { file, ...(copy && { line: copy.line }) };
      const to = copy === undefined ? "" : `: it is copied to ${copy.to}`;
      const cause = `there is no ${siteInImage}/index.html in it${to}`;
      const hint = `Write COPY ./${siteFolder} ${siteInImage}.`;
      return isAtRoot === "yes" ? deviates(cause, hint, at) : failed(cause, hint, at);
    }
    return undefined;
  },
};

/** Runs commands in a fresh container of the front-end, and says what each has printed. */
async function printedIn(subject: Subject, commands: readonly string[]): Promise<string[]> {
  const mark = "--- softy-pinko-grader ---";
  const script = commands.join(`; echo; echo '${mark}'; `);
  const container = `${subject.sandbox.prefix}-${subject.folder.task}-paths`;
  const { stdout } = await attempt(
    "docker",
    [
      ...["run", "--rm", "--name", container, "--network=none"],
      ...[...bounds, "--entrypoint=sh", subject.images["front-end"] ?? "", "-c", script],
    ],
    { timeoutMs: 30_000, maxOutputBytes: 1_000_000, signal: subject.sandbox.signal },
  );
  await attempt("docker", ["rm", "--force", container], { detached: true });
  subject.sandbox.signal.throwIfAborted();
  return stdout.split(mark).map((printed) => printed.trim());
}

/** The site is served (spec, task 2). */
export const servesSite: SubjectCheck = {
  id: "page",
  isLive: true,
  title: "GET / on the front-end answers with the front page",
  needs: ["front-end-port", "site", "paths"],
  judge: async (subject) => {
    const running = subject.running["front-end"];
    if (running === undefined) return undefined;
    const { status, body } = await askUntilAnswered(subject.sandbox, running, "/");
    return judgePage(subject, status, body);
  },
};

/** @returns The verdict on what came for the front page. */
export function judgePage(
  subject: Subject,
  status: number | undefined,
  body: string,
): Finding | undefined {
  const page = findPage(subject);
  const conf = findConf(subject);
  const file = shown(subject, conf ?? subject.contexts["front-end"] ?? "");
  if (status !== 200) {
    const hint =
      status === 403 || status === 404
        ? "root must name the folder in the image that index.html was copied into, and index must name it."
        : "Read what nginx prints.";
    const line = lineOf(subject, conf, status === 403 ? "index" : "root");
    return failed(`it answers ${status ?? "nothing"}`, hint, { file, ...line });
  }
  const own = page === undefined ? "" : (readText(subject.folder, page) ?? "");
  if (squeeze(body) === squeeze(own)) return undefined;
  const cause = /Welcome to nginx/.test(body)
    ? "it answers with nginx's own welcome page"
    : "it answers with another page than the site's index.html";
  return failed(cause, "root must name the folder that the site was copied into.", {
    file,
    ...lineOf(subject, conf, "root"),
  });
}

const squeeze = (text: string): string => text.replace(/\s+/g, "");

function lineOf(subject: Subject, conf: string | undefined, name: string): { line?: number } {
  const read =
    conf === undefined ? undefined : readConf(readText(subject.folder, conf) ?? "", conf);
  if (read === undefined || "verdict" in read) return {};
  const line = findDirectives(read.directives, name)[0]?.line;
  return line === undefined ? {} : { line };
}
