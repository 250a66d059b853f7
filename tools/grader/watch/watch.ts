import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { withEngine } from "../../engine/engine";
import { onEnd } from "../../lib/cli";
import { UserError } from "../../lib/errors";
import { printableLine } from "../../lib/printable";
import type { Report } from "../../lib/progress";
import { type HintLevel, withhold } from "../hints";
import { type Machine, machineNames, openMachine } from "../machine";
import { type Message, numberIn } from "../messages";
import { requireTasks, type Task, tasks } from "../repository";
import { lineOf, runInside } from "../session";
import { Board } from "./board";
import { Copies } from "./copies";
import { differences, nextChange, type Scan, scan } from "./scan";
import { liveView, plainView, type View } from "./view";

interface WatchOptions {
  /** The tasks to grade, if they exist. */
  chosen: readonly Task[];
  hints: HintLevel;
  /** For one build. */
  buildTimeoutMs: number;
  signal: AbortSignal;
}

/**
 * `--watch`: grades a repository again and again, until Ctrl-C. The machine is removed then.
 * @param folder The repository, as the user has named it.
 * @throws {UserError} if there is no task in it, no engine, or the machine fails.
 */
export async function watchCommand(folder: string, options: WatchOptions): Promise<never> {
  const { signal } = options;
  const { root } = requireTasks(folder);
  const scratch = await mkdtemp(path.join(tmpdir(), "softy-pinko-grader-"));
  let machine: Machine | undefined;
  const cleanUp = async (): Promise<void> => {
    await machine?.close();
    await rm(scratch, { recursive: true, force: true });
    forget();
  };
  const forget = onEnd(cleanUp);
  const run = async (report: Report): Promise<undefined> => {
    machine = await openMachine({ names: machineNames(), report, signal });
  };
  const last = async (): Promise<void> => {
    const { stdout } = process;
    const title = `Watching ${printableLine(path.basename(root))}`;
    const isLive = stdout.isTTY && process.env.CI === undefined;
    const view = isLive ? liveView(title, stdout) : plainView((text) => stdout.write(text));
    if (machine !== undefined) await watch(machine, { ...options, root, scratch, view });
  };
  const needs = { ports: false };
  await withEngine(signal, [{ title: "Machine", run }], { needs, cleanUp, last });
  throw new Error("watching has ended");
}

/**
 * Grades a repository in a machine, and each task again whose files change, until the signal aborts.
 * The tasks whose files have just changed come first, and what is being graded is given up for them.
 * @throws {UserError} when the machine fails; the signal's reason.
 */
async function watch(
  machine: Machine,
  options: WatchOptions & { root: string; scratch: string; view: View },
): Promise<never> {
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
