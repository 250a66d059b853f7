import { lastLine } from "../lib/lines";
import { attempt, type Outcome, type RunOptions } from "../lib/run";
import { type Finding, raise, skipped } from "./point";

/*
 * What the engine's messages say about: the learner's files, or this machine. An error of a container
 * that names what is in its image or its compose file is the learner's; any other is not.
 */
const ofContainer = new RegExp(
  [
    // Its program, user and folders
    'exec: "|exec format error|no command specified|unable to find user|chdir to cwd|cwd must be',
    "error mounting .*(not a directory|no such file)|bind source path does not exist",
    // Its dependencies and health checks
    "is unhealthy|dependency failed to start|has no healthcheck configured|exited \\(\\d+\\)",
    // Its image
    "pull access denied|manifest unknown|manifest for .* not found|invalid reference format",
    "does not match the specified platform",
  ].join("|"),
  "i",
);

/** Whether a program was stopped because of what it did: it took too long or printed too much. */
export const wasStopped = ({ exitCode, stderr }: Outcome): boolean =>
  exitCode === undefined && /^(timed out|printed more)/.test(stderr);

/** The finding if the engine fails through no fault of the learner. */
export const engineFailed = (message: string): Finding =>
  skipped(`Docker fails here: ${lastLine(message).slice(0, 300)}`);

/**
 * Lets pass what the learner is responsible for.
 * @param outcome Of a command that starts containers.
 * @throws {Judgement} if it failed for another reason.
 */
export function requireEngine(outcome: Outcome): void {
  const isOfContainer = ofContainer.test(outcome.stderr);
  if (!outcome.ok && !isOfContainer && !wasStopped(outcome)) raise(engineFailed(outcome.stderr));
}

/**
 * Runs a `docker` command.
 * @throws The signal's reason after Ctrl-C.
 */
export async function docker(args: readonly string[], options: RunOptions): Promise<Outcome> {
  const outcome = await attempt("docker", args, options);
  options.signal?.throwIfAborted();
  return outcome;
}

/**
 * Runs a `docker` command that no mistake of the learner makes fail.
 * @returns Its stdout.
 * @throws {Judgement} if it fails.
 */
export async function ask(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await docker(args, { timeoutMs: 30_000, ...options });
  if (!outcome.ok) raise(engineFailed(outcome.stderr));
  return outcome.stdout;
}
