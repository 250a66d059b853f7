import { realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { withEngine } from "../../engine/engine";
import { onEnd } from "../../lib/cli";
import { printableLine } from "../../lib/printable";
import type { Report } from "../../lib/progress";
import { type Machine, machineNames, openMachine } from "../machine";
import { requireTasks } from "../repository";
import { liveView, plainView } from "./view";
import { type WatchOptions, watch } from "./watch";

/**
 * `--watch`: grades a repository again and again, until Ctrl-C. The machine is removed then.
 * @param folder The repository, as the user has named it.
 * @throws {UserError} if there is no task in it, no engine, or the machine fails.
 */
export async function watchCommand(
  folder: string,
  options: Omit<WatchOptions, "root" | "scratch" | "view">,
): Promise<never> {
  const { signal } = options;
  requireTasks(folder);
  const root = realpathSync(folder);
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
