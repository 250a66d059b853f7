import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../lib/errors";
import { type HintLevel, withhold } from "../hints";
import type { Machine } from "../machine";
import { type Message, numberIn } from "../messages";
import { type Task, tasks } from "../repository";
import { lineOf, runInside } from "../session";
import { Board } from "./board";
import { Copies } from "./copies";
import { differences, type Scan, scan } from "./scan";
import type { View } from "./view";

export interface WatchOptions {
  /** The repository's folder, without links. */
  root: string;
  /** The tasks to grade, if they exist. */
  chosen: readonly Task[];
  /** A folder for copies. */
  scratch: string;
  hints: HintLevel;
  /** For one build. */
  buildTimeoutMs: number;
  view: View;
  signal: AbortSignal;
}

/** Between two scans, while nothing and while something changes. They take at most a tenth of the time. */
const pauseMs = { quiet: 200, unrest: 100 };

/** For files that are saved without a pause: then they are graded as they are. */
const maxUnrestMs = 2_000;

/**
 * Grades a repository in a machine, and each task again whose files change, until the signal aborts.
 * The tasks whose files have just changed come first, and what is being graded is given up for them.
 * @throws {UserError} when the machine fails; the signal's reason.
 */
export async function watch(machine: Machine, options: WatchOptions): Promise<never> {
  const { root, chosen, buildTimeoutMs, view, signal } = options;
  const copies = new Copies(machine, options.scratch, signal);
  const board = new Board();
  const requests = new PassThrough();
  let number = 0;

  const take = (message: Message): void => {
    if (message.kind === "milestone" && message.part !== "reading") {
      board.proceed(message.part, message.line);
      view.proceed?.(board.states);
    }
    if (!("report" in message)) return;
    for (const report of withhold([message.report], options.hints)) {
      const change = board.update(report, message.kind === "done");
      if (change !== undefined) view.show(board.states, change.before, change.now);
    }
  };
  const grade = async (seen: Scan, changed: readonly Task[]): Promise<void> => {
    const moved = await copies.renew(seen, changed);
    const isThere = (task: Task): boolean => copies.folders.has(task);
    const unfinished = board.states.filter(({ isOpen }) => isOpen).map(({ task }) => task);
    const open = [...new Set([...changed, ...unfinished])]
      .filter(isThere)
      .filter((task) => chosen.includes(task));
    number += 1;
    board.begin(open, isThere);
    view.proceed?.(board.states);
    const folders = [...copies.folders.values()];
    requests.write(lineOf({ tasks: open, folders, buildTimeoutMs, number, moved }));
  };
  const follow = async (): Promise<never> => {
    let seen = scan(root);
    // Also those that are not graded: which images a repository builds matters to the others
    await grade(seen, tasks);
    for (;;) {
      const now = await nextChange(root, seen, signal);
      const changed = differences(seen, now);
      seen = now;
      const concerned = [...changed.keys()].filter((task) => chosen.includes(task));
      if (concerned.length === 0) continue;
      view.saved(concerned.flatMap((task) => changed.get(task) ?? []));
      await grade(now, concerned);
    }
  };

  const running = runInside(machine, {
    input: requests,
    signal,
    onMessage: (message, line) => {
      // An earlier request's message may still be on its way, and one after Ctrl-C
      if (numberIn(line) === number && !signal.aborted) take(message);
    },
  }).then(({ reason }): never => {
    signal.throwIfAborted();
    throw new UserError(`the repository cannot be watched any longer: ${reason}.`);
  });
  return Promise.race([running, follow()]);
}

/**
 * Waits until files have changed, and then until no more do: while one is being written, or a branch
 * checked out, there is nothing to grade.
 */
async function nextChange(root: string, seen: Scan, signal: AbortSignal): Promise<Scan> {
  let last = seen;
  let unrestSince: number | undefined;
  for (let durationMs = 0; ; ) {
    const least = unrestSince === undefined ? pauseMs.quiet : pauseMs.unrest;
    await sleep(Math.max(least, 10 * durationMs), undefined, { signal });
    const start = performance.now();
    const now = scan(root);
    const isQuiet = differences(last, now).size === 0;
    last = now;
    durationMs = performance.now() - start;
    if (isQuiet && unrestSince === undefined) continue;
    unrestSince ??= start;
    if (isQuiet || start - unrestSince > maxUnrestMs) return now;
  }
}
