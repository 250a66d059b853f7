import type { Report, Step } from "../lib/progress";
import type { Message, Part, TaskReport } from "./messages";
import type { Task } from "./repository";

/** A grading in a machine as steps on the terminal. */
export interface Followed {
  steps: Step[];
  onMessage: (message: Message) => void;
  /** Ends the steps that are not done, with an error or without. */
  end: (error?: unknown) => void;
}

/**
 * Makes steps of what the grader in the machine tells: one for what can be read, one for each task.
 * @param summarize What is said of a task that is done.
 */
export function follow(
  tasks: readonly Task[],
  summarize: (report: TaskReport) => string,
): Followed {
  const parts = new Map<Part, ReturnType<typeof partOf>>();
  for (const part of ["reading", ...tasks] as const) parts.set(part, partOf());
  return {
    steps: Array.from(parts, ([part, { done, listen }]) => ({
      title: part === "reading" ? "What can be read" : part,
      run: (report) => {
        listen(report);
        return done;
      },
    })),
    onMessage: (message) => {
      if (message.kind === "alive" || message.kind === "picture") return;
      const part = parts.get(message.part);
      if (message.kind !== "done") part?.tell(message);
      else if (message.part === "reading") part?.finish(undefined);
      else part?.finish(`${message.part}: ${summarize(message.report)}`);
    },
    end: (error) => {
      for (const part of parts.values()) part.abort(error);
    },
  };
}

function partOf() {
  let report: Report | undefined;
  const { promise: done, resolve, reject } = withResolvers();
  // Until its turn comes, nobody waits for a step
  done.catch(() => undefined);
  return {
    done,
    listen: (to: Report): void => {
      report = to;
    },
    tell: ({ kind, line }: { kind: "milestone" | "detail"; line: string }): void => {
      if (kind === "milestone") report?.(line);
      else report?.detail(line);
    },
    finish: resolve,
    abort: (error: unknown): void => (error === undefined ? resolve(undefined) : reject(error)),
  };
}

/** Promise.withResolvers, which Node.js 20 lacks. */
function withResolvers() {
  let resolve: (title: string | undefined) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<string | undefined>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
