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
    /** Why there is no Docker engine; undefined if there is one. */
    engineMissing: string | undefined;
    /** The process id of Vitest; see sweep.ts. */
    run: number;
  }
}

/**
 * Finds or starts a Docker engine before the tests, and stops it afterwards if it was started here.
 * Without one, the tests are skipped with the reason; in CI they fail.
 */
export default async function setup(
  project: TestProject,
): Promise<(() => Promise<void>) | undefined> {
  const print = (line: string): void => {
    process.stderr.write(`${project.name}: ${line}\n`);
  };
  const report = Object.assign(print, { detail: () => undefined });
  project.provide("run", process.pid);
  try {
    const engine = await ensureEngine(report, new AbortController().signal);
    print(describeEngine(engine));
    project.provide("engineMissing", undefined);
    const cleanUpAtExit = (): void => {
      sweep(process.pid);
      if (engine.started) endEngineIfIdle();
    };
    process.once("exit", cleanUpAtExit);
    return async () => {
      process.off("exit", cleanUpAtExit);
      sweep(process.pid);
      if (engine.started) await stopEngineIfIdle();
    };
  } catch (error) {
    if (!(error instanceof UserError) || process.env.CI !== undefined) throw error;
    print(`skipped: ${error.message}`);
    project.provide("engineMissing", error.message);
    return undefined;
  }
}
