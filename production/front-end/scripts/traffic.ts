/** How one request ended. */
export interface Outcome {
  /** When it ended, in milliseconds since 1970. */
  at: number;
  /** Milliseconds from sending the request to the last byte of the response. */
  ms: number;
  /** Such as 200; undefined if there was no response. */
  status?: number;
  /** The status text, such as `OK`. */
  reason?: string;
  /** The server's name, from the header X-Served-By. */
  server?: string | undefined;
}

/** An API server that has responded at least once. */
export interface Server {
  readonly name: string;
  /** Number of its successful responses. */
  responses: number;
  /** When it last responded, in milliseconds since 1970. */
  lastAt: number;
  /** Number of requests since then that other servers answered or that failed. */
  missed: number;
  isGone: boolean;
}

/** A change to announce in the page's live region. */
export type News =
  | { what: "new" | "gone" | "back"; server: string }
  | { what: "failing" | "recovered" };

/**
 * A server is gone if it missed this many turns in a row and has not responded for this time. Fewer
 * turns prove nothing: the rotation includes other visitors' requests, and the proxy skips a server for
 * a second after a failure.
 */
const goneAfter = { turns: 8, ms: 2_000 };

/** Length of the list of last outcomes. */
const maxLast = 12;

/** Statistics of the requests that the page sent, by server. */
export class Traffic {
  readonly servers: Server[] = [];
  /** The last outcomes, newest first. */
  readonly last: Outcome[] = [];
  answered = 0;
  failed = 0;
  #isFailing = false;
  #news: News[] = [];

  /**
   * Counts a request that has ended.
   * @returns The server that answered it, or undefined if it failed.
   */
  record(outcome: Outcome): Server | undefined {
    this.last.unshift(outcome);
    this.last.splice(maxLast);
    const isFailing = isFailure(outcome);
    if (isFailing !== this.#isFailing) {
      this.#news.push({ what: isFailing ? "failing" : "recovered" });
      this.#isFailing = isFailing;
    }
    for (const server of this.servers) server.missed += 1;
    if (isFailing) {
      this.failed += 1;
      return undefined;
    }
    this.answered += 1;
    return this.#credit(outcome);
  }

  #credit({ server: name = "unnamed", at }: Outcome): Server {
    let server = this.servers.find((known) => known.name === name);
    if (server === undefined) {
      server = { name, responses: 0, lastAt: at, missed: 0, isGone: false };
      this.servers.push(server);
      this.#news.push({ what: "new", server: name });
    } else if (server.isGone) {
      this.#news.push({ what: "back", server: name });
    }
    server.responses += 1;
    server.lastAt = at;
    server.missed = 0;
    server.isGone = false;
    return server;
  }

  /**
   * Marks servers as gone that have missed too many turns.
   * @param now Milliseconds since 1970.
   */
  findGone(now: number): void {
    const present = this.servers.filter(({ isGone }) => !isGone);
    for (const server of present) {
      const turns = server.missed / present.length;
      server.isGone = turns >= goneAfter.turns && now - server.lastAt >= goneAfter.ms;
      if (server.isGone) this.#news.push({ what: "gone", server: server.name });
    }
  }

  /** @returns The news since the last call. */
  takeNews(): News[] {
    return this.#news.splice(0);
  }
}

/** Whether a request got no response, or one without a 2xx status. */
export function isFailure({ status }: Outcome): boolean {
  return status === undefined || status < 200 || status > 299;
}

/** A server's share of all answered requests, such as `33.3 %`. */
export function shareOf({ responses }: Server, answered: number): string {
  const percent = answered === 0 ? 0 : (100 * responses) / answered;
  return `${percent.toFixed(Number.isInteger(percent) ? 0 : 1)} %`;
}

/** Shortens a name to at most 16 characters; a container's ID has 12. */
export function shorten(name: string): string {
  return name.length <= 16 ? name : `${name.slice(0, 8)}…${name.slice(-6)}`;
}

/** Summarizes news in a few short sentences. */
export function summarize(news: readonly News[]): string {
  const latest = new Map<string, News["what"]>();
  for (const item of news) latest.set("server" in item ? item.server : "", item.what);
  const all = latest.get("");
  const named = (what: News["what"]): string[] =>
    [...latest].filter(([name, last]) => name !== "" && last === what).map(([name]) => name);
  const [fresh, back, gone] = [named("new"), named("back"), named("gone")];
  return [
    ...(all === "failing" ? ["Requests are failing."] : []),
    ...(all === "recovered" ? ["Requests succeed again."] : []),
    ...(fresh.length === 1 ? [`New server: ${namesOf(fresh)}.`] : []),
    ...(fresh.length > 1 ? [`New servers: ${namesOf(fresh)}.`] : []),
    ...(back.length > 0
      ? [`${namesOf(back)} ${back.length > 1 ? "respond" : "responds"} again.`]
      : []),
    ...(gone.length > 0
      ? [`${namesOf(gone)} no longer ${gone.length > 1 ? "respond" : "responds"}.`]
      : []),
  ].join(" ");
}

/** Lists up to three names, and the number of the others. */
function namesOf(names: readonly string[]): string {
  const more = names.length - 3;
  const shown = names.slice(0, 3).map(shorten);
  return [...shown, ...(more > 0 ? [`${more} more`] : [])]
    .join(", ")
    .replace(/, (?=[^,]*$)/, " and ");
}
