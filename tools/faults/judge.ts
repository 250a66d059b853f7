import type { Answer } from "../lib/http";

/** A request that the load repeats, and the check of its response. */
export interface Probe {
  path: string;
  /** What serves it: the replicas of the API, or the front-end. */
  kind: "api" | "page";
  isExpected(body: string): boolean;
}

export interface Judgment {
  /** `rejected` is a well-formed 503, which a fault may allow for a time. */
  outcome: "served" | "rejected" | "lost";
  status?: number;
  /** Why the request is lost. */
  reason?: string | undefined;
}

export function judge(probe: Probe, answer: Omit<Answer, "ms">): Judgment {
  const { status, body, error } = answer;
  if (status === undefined) return { outcome: "lost", reason: error };
  if (status === 503) {
    const defect = findDefect(probe, answer);
    return defect === undefined
      ? { outcome: "rejected", status }
      : { outcome: "lost", status, reason: `503 ${defect}` };
  }
  if (status !== 200) return { outcome: "lost", status, reason: `status ${status}` };
  if (probe.isExpected(body)) return { outcome: "served", status };
  const shown = JSON.stringify(body.length > 40 ? `${body.slice(0, 40)}…` : body);
  return { outcome: "lost", status, reason: `wrong body (${body.length} characters): ${shown}` };
}

/** @returns What makes a 503 malformed: the client cannot show it, or cannot tell when to retry. */
function findDefect(probe: Probe, { headers, body }: Omit<Answer, "ms">): string | undefined {
  const type = String(headers["content-type"] ?? "");
  const accepted = probe.kind === "page" ? /^text\/html\b/ : /^(application\/json|text\/plain)\b/;
  if (headers["retry-after"] === undefined) return "without Retry-After";
  if (!accepted.test(type)) return type === "" ? "without Content-Type" : `of type ${type}`;
  if (body.trim() === "") return "without a body";
  const isCacheable = !/\bno-store\b/.test(String(headers["cache-control"]));
  return isCacheable ? "without Cache-Control: no-store" : undefined;
}
