/**
 * Finds the name of PATH. On Windows it may be `Path`: there, `process.env` ignores case, but a copy
 * of it does not (https://nodejs.org/api/process.html#processenv).
 * @returns `PATH` if the environment has none.
 */
export const nameOfPath = (env: NodeJS.ProcessEnv): string =>
  "PATH" in env ? "PATH" : (Object.keys(env).find((name) => /^path$/i.test(name)) ?? "PATH");
