import { Listr, ListrLogger, ProcessOutput } from "listr2";
import { printable } from "./printable";

/** Shows what a step is doing right now, without what a terminal would obey. */
export interface Report {
  /** A milestone: a line of its own, or on a terminal beside the step's title. */
  (line: string): void;
  /** A line of some program's output: shown on a terminal alone, under the step. */
  detail(line: string): void;
}

export interface Step {
  title: string;
  /** Does the work; what it returns, if anything, replaces the title once it is done. */
  run(report: Report): Promise<string | undefined>;
}

/**
 * Runs steps one after the other and shows them on stderr: a list with a spinner on a terminal,
 * plain lines elsewhere.
 * @throws What the first failing step throws; the steps after it do not run.
 */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  const interactive = process.stderr.isTTY && process.env.CI === undefined;
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const logger = new ListrLogger({ processOutput });
  // While the list is on the terminal, listr2 hides the cursor and holds back what others print
  const restore = (): void => processOutput.release();
  if (interactive) process.once("exit", restore);
  let cause: unknown;
  const tasks = steps.map((step) => ({
    title: step.title,
    task: async (_context: unknown, task: { title: string; output: string }): Promise<void> => {
      const print = (line: string): void => {
        task.output = printable(line);
      };
      const entitle = (line: string): void => {
        task.title = `${step.title}: ${printable(line)}`;
      };
      const report = interactive
        ? Object.assign(entitle, { detail: print })
        : Object.assign(print, { detail: () => undefined });
      try {
        task.title = printable((await step.run(report)) ?? step.title);
      } catch (error) {
        // The caller tells what went wrong; here the step is only marked as failed
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
