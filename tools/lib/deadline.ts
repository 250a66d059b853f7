import { createContext, Script } from "node:vm";

const context = createContext({ work: (): unknown => undefined });
const script = new Script("work()");

/**
 * Runs synchronous work, such as a parser or a regular expression, with a timeout. A timer of this
 * thread cannot interrupt it; V8 can, from another thread.
 * @param what What the work does, as it reads after "timed out after 2 s": `parsing the page`.
 * @throws {Error} after the timeout; what the work throws.
 */
export function withDeadline<T>(work: () => T, what: string, timeoutMs = 2_000): T {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: timeoutMs }) as T;
  } catch (error) {
    // V8 creates this error in the other context, so it is not an instance of this context's Error
    if ((error as { code?: unknown } | undefined)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT")
      throw error;
    throw new Error(`timed out after ${timeoutMs / 1000} s ${what}`);
  }
}
