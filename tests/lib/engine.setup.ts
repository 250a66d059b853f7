import type {} from "vitest";
import type { TestProject } from "vitest/node";
import {
  describeEngine,
  endEngineIfIdle,
  ensureEngine,
  stopEngineIfIdle,
} from "../../tools/engine/engine";
import { UserError } from "../../tools/lib/errors";
import { sweep } from "./sweep";

declare module "vitest" {
  interface ProvidedContext {
    /** Why there is no Docker engine; undefined where there is one. */
    engineMissing: string | undefined;
    /** The run's number; see sweep.ts. */
    run: number;
  }
}

/**
 * Finds or brings up a Docker engine before the tests, and ends it afterwards if it was started
 * here. Where none can be had the tests are skipped with the reason, except in CI.
 */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const say = (line: string): void => {
    process.stderr.write(`${project.name}: ${line}\n`);
  };
  const report = Object.assign(say, { detail: () => undefined });
  project.provide("run", process.pid);
  try {
    const engine = await ensureEngine(report, new AbortController().signal);
    say(describeEngine(engine));
    project.provide("engineMissing", undefined);
    const cutOff = (): void => {
      sweep(process.pid);
      if (engine.started) endEngineIfIdle();
    };
    process.once("exit", cutOff);
    return async () => {
      process.off("exit", cutOff);
      sweep(process.pid);
      if (engine.started) await stopEngineIfIdle();
    };
  } catch (error) {
    if (!(error instanceof UserError) || process.env.CI !== undefined) throw error;
    say(`skipped: ${error.message}`);
    project.provide("engineMissing", error.message);
    return undefined;
  }
}
