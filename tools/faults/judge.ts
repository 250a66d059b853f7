import type { IncomingHttpHeaders } from "node:http";

/** What is asked of a stack over and over, and what a right answer is. */
export interface Ask {
  path: string;
  /** Who has to answer: the servers that are balanced, or the one that serves pages. */
  kind: "api" | "page";
  isRight(body: string): boolean;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * `turned away` is an orderly "not now": whether it may happen is the fault's to say. All that is
 * neither served nor turned away is lost.
 */
export type Outcome = "served" | "turned away" | "lost";

export interface Judged {
  outcome: Outcome;
  status?: number;
  /** Why it is lost. */
  reason?: string;
}

/** Judges an answer that came whole. One that did not is lost in any case. */
export function judge(ask: Ask, { status, headers, body }: Answer): Judged {
  if (status === 503) {
    const flaw = flawOf(ask, headers, body);
    return flaw === undefined
      ? { outcome: "turned away", status }
      : { outcome: "lost", status, reason: `503 ${flaw}` };
  }
  if (status !== 200) return { outcome: "lost", status, reason: `status ${status}` };
  if (ask.isRight(body)) return { outcome: "served", status };
  const got = JSON.stringify(body.length > 40 ? `${body.slice(0, 40)}…` : body);
  return { outcome: "lost", status, reason: `wrong body (${body.length} characters): ${got}` };
}

/** @returns What is missing of an answer that turns a visitor away as it should be done. */
function flawOf(ask: Ask, headers: IncomingHttpHeaders, body: string): string | undefined {
  const type = headers["content-type"] ?? "";
  const wanted = ask.kind === "page" ? /^text\/html\b/ : /^(application\/json|text\/plain)\b/;
  if (headers["retry-after"] === undefined) return "without Retry-After";
  if (!wanted.test(type)) return `of type ${type || "nothing"}`;
  if (body.trim() === "") return "without a body";
  const isForCaches = !/\bno-store\b/.test(headers["cache-control"] ?? "");
  return isForCaches ? "without Cache-Control: no-store" : undefined;
}
