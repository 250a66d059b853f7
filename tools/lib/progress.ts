import { Listr, ListrLogger, ProcessOutput } from "listr2";
import { printable } from "./printable";

/** Shows what a step is doing, without control sequences. */
export interface Report {
  /** A milestone: a separate line, or on a terminal next to the step's title. */
  (line: string): void;
  /** A line of a program's output: shown only on a terminal, under the step. */
  detail(line: string): void;
}

export interface Step {
  title: string;
  /** @returns The title once it is done, if it changes. */
  run(report: Report): Promise<string | undefined>;
}

/**
 * Runs steps in sequence and shows them on stderr: a list with a spinner on a terminal, otherwise
 * plain lines.
 * @throws What the first failing step throws; later steps do not run.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  const interactive = process.stderr.isTTY && process.env.CI === undefined;
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const logger = new ListrLogger({ processOutput });
  // While it draws on a terminal, listr2 hides the cursor and buffers the output of others
  const restore = (): void => processOutput.release();
  if (interactive) process.once("exit", restore);
  let cause: unknown;
  const tasks = steps.map((step) => ({
    title: step.title,
    task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
      const print = (line: string): void => {
        task.output = printable(line);
      };
      const setTitle = (line: string): void => {
        task.title = `${step.title}: ${printable(line)}`;
      };
      const report = interactive
        ? Object.assign(setTitle, { detail: print })
        : Object.assign(print, { detail: () => undefined });
      try {
        task.title = printable((await step.run(report)) ?? step.title);
      } catch (error) {
        // The caller shows the error; the list only marks the step as failed
        cause = error;
        throw new Error("");
      }
    },
  }));
  await new Listr(tasks, {
    registerSignalListeners: false,
    renderer: interactive ? "default" : "simple",
    rendererOptions: { logger },
  })
    .run()
    .catch((error: unknown) => {
      throw cause ?? error;
    })
    .finally(() => process.off("exit", restore));
}
