import { UserError } from "../lib/errors";
import * as actions from "./actions";
import type { Experiment } from "./experiment";
import type { Target } from "./report";
import type { StackName } from "./stacks";

/** A fault that the lab injects. */
export interface FaultCase {
  name: string;
  /** What is done, in a sentence. */
  about: string;
  /** How the third server misbehaves, if the fault needs a faulty one; see faulty-server. */
  faulty?: "latency" | "error" | "reset" | "memory";
  /** A feature that only production has. */
  needs?: "error pages" | "memory limits" | "X-Served-By headers";
  target?: Partial<Target>;
  /** Injects the fault, keeps it for a while, and restores the stack. */
  run(experiment: Experiment): Promise<void>;
}

/** While some servers fail, the others serve almost all requests as if nothing had happened. */
const failover: Partial<Target> = { p99Ms: 50 };

/** Every fault, in the order in which they are injected. */
export const cases: readonly FaultCase[] = [
  {
    name: "kill",
    about: "kill one server (SIGKILL), and start it again after 2 s",
    target: failover,
    run: (experiment) => actions.doAndUndo(experiment, 1, ["kill", "start"]),
  },
  {
    name: "stop",
    about: "stop one server (SIGTERM), and start it again after 2 s",
    target: failover,
    run: (experiment) => actions.doAndUndo(experiment, 1, ["stop", "start"]),
  },
  {
    name: "kill-two",
    about: "kill two of three servers at once, and start them again after 2 s",
    target: failover,
    run: (experiment) => actions.doAndUndo(experiment, 2, ["kill", "start"]),
  },
  {
    name: "pause",
    about: "pause one server for 5 s: it accepts connections, but does not respond",
    target: { ...failover, over400Ms: 40 },
    run: (experiment) => actions.doAndUndo(experiment, 1, ["pause", "unpause"], 5),
  },
  {
    name: "latency",
    about: "delay each response of one server by 500 ms, for 4 s",
    target: failover,
    faulty: "latency",
    run: (experiment) => actions.misbehave(experiment, "delays responses by 500 ms"),
  },
  {
    name: "disconnect",
    about: "disconnect one server from the network for 3 s",
    target: failover,
    run: actions.disconnect,
  },
  {
    name: "http-500",
    about: "have one server respond to every request with status 500, for 4 s",
    target: failover,
    faulty: "error",
    run: (experiment) => actions.misbehave(experiment, "responds with 500"),
  },
  {
    name: "reset-peer",
    about: "have one server reset every connection that brings a request, for 4 s",
    target: failover,
    faulty: "reset",
    run: (experiment) => actions.misbehave(experiment, "resets connections"),
  },
  {
    name: "rescale",
    about: "scale from three servers to six, to one, and back to three",
    run: actions.rescale,
  },
  {
    name: "rolling-restart",
    about: "restart one server after the other, each when the last one is healthy",
    run: (experiment) => actions.restartAll(experiment, true),
  },
  {
    name: "rolling-no-wait",
    about: "restart one server after the other without waiting for health checks",
    run: (experiment) => actions.restartAll(experiment, false),
  },
  {
    name: "redeploy",
    about: "replace every server by one of a new image, as npm run redeploy does",
    // The redeployment waits until each new server has named itself in a response
    needs: "X-Served-By headers",
    run: actions.replaceAll,
  },
  {
    name: "kill-front-end",
    about: "kill the only front-end, and start it again after 2 s; pages may be rejected",
    needs: "error pages",
    run: actions.killFrontEnd,
  },
  {
    name: "proxy-reload",
    about: "reload the proxy's configuration five times",
    run: actions.reloadProxy,
  },
  {
    name: "out-of-memory",
    about: "have one server exceed its memory limit; Docker restarts it",
    target: failover,
    faulty: "memory",
    needs: "memory limits",
    run: actions.runOutOfMemory,
  },
  {
    name: "stop-all",
    about: "stop every server, and start them again after 2 s; API requests may be rejected",
    needs: "error pages",
    target: { turnedAwayMs: 1_000, servedAgainS: 3 },
    run: actions.stopAll,
  },
];

/**
 * Selects the cases to run.
 * @param names All that the stack can run if there are none.
 * @throws {UserError} for a fault that needs more than the stack has.
 */
export function chooseCases(names: readonly string[], stack: StackName): FaultCase[] {
  return cases.filter(({ name, needs }) => {
    const isPossible = needs === undefined || stack.startsWith("production");
    const isNamed = names.includes(name);
    if (isNamed && !isPossible) {
      throw new UserError(`${stack} has no ${needs}: run the fault ${name} on production.`);
    }
    return names.length === 0 ? isPossible : isNamed;
  });
}
