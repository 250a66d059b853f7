/** How one request ended. */
export interface Outcome {
  /** When it ended, in milliseconds since 1970. */
  at: number;
  /** From sending it to the last byte of the answer, in milliseconds. */
  ms: number;
  /** What the answer says, such as 200; nothing where no answer came. */
  status?: number;
  /** The same in words, such as `OK`. */
  reason?: string;
  /** Who answered: the header X-Served-By. */
  server?: string | undefined;
}

/** An API server, known since it first answered. */
export interface Server {
  readonly name: string;
  /** Requests that it answered. */
  answers: number;
  /** When it last answered, in milliseconds since 1970. */
  lastAt: number;
  /** Requests that have ended elsewhere since then. */
  missed: number;
  isGone: boolean;
}

/** Something to tell a visitor who does not watch. */
export type News =
  | { what: "new" | "gone" | "back"; server: string }
  | { what: "failing" | "answered again" };

/**
 * Turns in a row, and milliseconds, that a server may miss before it counts as gone. Other visitors
 * take turns too, so it may be somewhere else for a while; and one that failed is passed over by the
 * proxy for a second.
 */
const patience = { turns: 8, ms: 2_000 };

/** Outcomes that are remembered one by one. */
const most = 12;

/** What the requests that the page sent say about the servers behind the proxy. */
export class Traffic {
  readonly servers: Server[] = [];
  /** The last outcomes, the latest first. */
  readonly last: Outcome[] = [];
  answered = 0;
  failed = 0;
  #isFailing = false;
  #news: News[] = [];

  /**
   * Counts a request that has ended. Whatever is not a good answer is a failure.
   * @returns Who answered; nobody where it failed.
   */
  record(outcome: Outcome): Server | undefined {
    this.last.unshift(outcome);
    this.last.splice(most);
    const isFailing = isFailure(outcome);
    if (isFailing !== this.#isFailing) {
      this.#news.push({ what: isFailing ? "failing" : "answered again" });
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
      server = { name, answers: 0, lastAt: at, missed: 0, isGone: false };
      this.servers.push(server);
      this.#news.push({ what: "new", server: name });
    } else if (server.isGone) {
      this.#news.push({ what: "back", server: name });
    }
    server.answers += 1;
    server.lastAt = at;
    server.missed = 0;
    server.isGone = false;
    return server;
  }

  /**
   * Looks for servers that no longer answer, though it would long have been their turn.
   * @param now Milliseconds since 1970.
   */
  findGone(now: number): void {
    const present = this.servers.filter(({ isGone }) => !isGone);
    for (const server of present) {
      const turns = server.missed / present.length;
      server.isGone = turns >= patience.turns && now - server.lastAt >= patience.ms;
      if (server.isGone) this.#news.push({ what: "gone", server: server.name });
    }
  }

  /** @returns What is new since this was last asked. */
  takeNews(): News[] {
    return this.#news.splice(0);
  }
}

/** Whether a request got no answer, or one that is an error. */
export function isFailure({ status }: Outcome): boolean {
  return status === undefined || status < 200 || status > 299;
}

/** A server's part of all answers, such as `33.3 %`. */
export function shareOf({ answers }: Server, answered: number): string {
  const percent = answered === 0 ? 0 : (100 * answers) / answered;
  return `${percent.toFixed(Number.isInteger(percent) ? 0 : 1)} %`;
}

/** A name that fits its place; a container's id, of twelve characters, always does. */
export function shorten(name: string): string {
  return name.length <= 16 ? name : `${name.slice(0, 8)}…${name.slice(-6)}`;
}

/** Tells news in a few short sentences, however much of it there is. */
export function tell(news: readonly News[]): string {
  const latest = new Map<string, News["what"]>();
  for (const item of news) latest.set("server" in item ? item.server : "", item.what);
  const all = latest.get("");
  const named = (what: News["what"]): string[] =>
    [...latest].filter(([name, last]) => name !== "" && last === what).map(([name]) => name);
  const [fresh, back, gone] = [named("new"), named("back"), named("gone")];
  return [
    ...(all === "failing" ? ["Requests fail."] : []),
    ...(all === "answered again" ? ["Requests are answered again."] : []),
    ...(fresh.length === 1 ? [`A new server, ${namesOf(fresh)}, answers.`] : []),
    ...(fresh.length > 1 ? [`New servers, ${namesOf(fresh)}, answer.`] : []),
    ...(back.length > 0
      ? [`${namesOf(back)} ${back.length > 1 ? "answer" : "answers"} again.`]
      : []),
    ...(gone.length > 0
      ? [`${namesOf(gone)} no longer ${gone.length > 1 ? "answer" : "answers"}.`]
      : []),
  ].join(" ");
}

/** Up to three names, and how many more there are. */
function namesOf(names: readonly string[]): string {
  const more = names.length - 3;
  const shown = names.slice(0, 3).map(shorten);
  return [...shown, ...(more > 0 ? [`${more} more`] : [])]
    .join(", ")
    .replace(/, (?=[^,]*$)/, " and ");
}
