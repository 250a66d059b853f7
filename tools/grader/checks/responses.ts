import { type Answer, fetchAnswer } from "../../lib/http";
import { findDirectives } from "../../lib/nginx-conf";
import { type Ids, runs } from "../check";
import { blockedBy, deviate, fail, type Place, raise } from "../point";
import { readText } from "../repository";
import type { Role, Subject } from "../subject";
import { withoutSpace } from "./front-end";
import { explainSilence, request, serverOf } from "./running";

/** @param through The role whose port gets the request. */
export const returnsHello = (through: Role, needs: Ids) =>
  runs("hello", needs, async (subject) => {
    const { status, body } = await requestThrough(subject, through, "back-end", "/api/hello");
    if (status === 200 && body === "Hello, World!") return;
    const place = subject.atProgram(/Hello|\/hello/i);
    if (status !== 200) fail(`it returns ${status}`, "The path is /api/hello.", place);
    if (body.trim() === "Hello, World!") {
      deviate("it returns white space around the text", "Send only the text.", place);
    }
    fail(`it returns ${JSON.stringify(body.slice(0, 120))}`, "Send Hello, World!", place);
  });

/** @param through The role whose port gets the request. */
export const returnsPage = (through: Role, needs: Ids) =>
  runs("page", needs, async (subject) => {
    const { status, body } = await requestThrough(subject, through, "front-end", "/");
    if (status !== 200) {
      const hint =
        status === 403 || status === 404
          ? "root must name the folder in the image that index.html was copied into, and index must name it."
          : "Read nginx's log.";
      fail(`it returns ${status}`, hint, subject.atDirective(status === 403 ? "index" : "root"));
    }
    const page = readText(subject.folder, subject.page()) ?? "";
    if (withoutSpace(body) === withoutSpace(page)) return;
    const other = body.includes("Welcome to nginx")
      ? "nginx's own welcome page"
      : "another page than the site's index.html";
    const hint = "root must name the folder that the site was copied into.";
    fail(`it returns ${other}`, hint, subject.atDirective("root"));
  });

/**
 * Sends a request through the port of one role to the server of another.
 * @returns The response.
 * @throws {Judgement} if there is none, or if nginx gets none from the other role's server.
 */
async function requestThrough(
  subject: Subject,
  through: Role,
  role: Role,
  path: string,
): Promise<Answer> {
  const entry = await serverOf(subject, through);
  const response = await request(subject, entry, path);
  const { status, error } = response;
  if (status === undefined) {
    // Without a proxy that responds, the API does not respond either
    if (through === "proxy" && role === "front-end") raise(blockedBy("hello"));
    await explainSilence(subject, entry, { error });
  }
  if (through !== "proxy" || ![502, 503, 504].includes(status ?? 0)) return response;
  const server = await serverOf(subject, role);
  const target = upstreamOf(subject, server.service);
  const cause = `it returns ${status}`;
  if (target === undefined) {
    fail(cause, "Read docker-compose logs.", subject.at(subject.contexts[role]));
  }
  return explainSilence(subject, server, { ...target, prefix: `${cause}: ` });
}

/** @returns Where the proxy's conf sends requests for a service. */
function upstreamOf(
  subject: Subject,
  service: string | undefined,
): { port: number; portPlace: Place } | undefined {
  const { file, directives } = subject.conf("proxy");
  const servers = ["server", "proxy_pass"].flatMap((name) => findDirectives(directives, name));
  for (const { args, line } of servers) {
    const [, host, port = "80"] = /^(?:https?:\/\/)?([^:/]+)(?::(\d+))?/.exec(args[0] ?? "") ?? [];
    if (host === service) return { port: Number(port), portPlace: subject.at(file, line) };
  }
  return undefined;
}

export const allowsOtherOrigins = runs("cors", ["hello"], async (subject) => {
  const { url } = await serverOf(subject, "back-end");
  const origin = "http://localhost:9000";
  const { headers } = await fetchAnswer(`${url}/api/hello`, { headers: { Origin: origin } });
  const allowed = headers["access-control-allow-origin"];
  if (allowed === "*" || allowed === origin) return;
  const cause =
    allowed === undefined
      ? "its response has no Access-Control-Allow-Origin"
      : `it allows only ${allowed}`;
  const hint = "Install the CORS package for your framework and use it for every route.";
  fail(cause, hint, subject.at(subject.contexts["back-end"]));
});
