import { projectOf } from "../lib/compose";
import { attempt } from "../lib/run";
import type { Scene } from "./scene";

/** Built from `dns-fault/`. */
export const dnsImage = (project: string): string => `${project}-dns-fault`;

/**
 * Takes Docker's DNS away from the proxy while something is done. The rules are the proxy's own
 * network's: this machine's DNS and firewall stay as they are. See dns-fault/dns-fault.mts.
 * @throws {Error} when the proxy asked nothing in the meantime: then nothing was tried.
 */
export async function withoutDns(
  scene: Scene,
  kind: "silent" | "no-such-name",
  meanwhile: () => Promise<void>,
): Promise<void> {
  const { stack, profile } = scene;
  const project = projectOf(stack);
  const container = `${project}-dns-fault`;
  const proxy = await scene.container(profile.proxy.service);
  try {
    await scene.docker(
      ...["run", "--detach", `--name=${container}`, `--network=container:${proxy.id}`],
      // Whatever takes the stack down takes this down
      ...[`--label=com.docker.compose.project=${project}`, "--stop-timeout=5"],
      ...["--cap-drop=ALL", "--cap-add=NET_ADMIN", "--cap-add=NET_BIND_SERVICE"],
      ...[dnsImage(project), kind],
    );
    await scene.until("the DNS fault", async () =>
      (await scene.docker("logs", container)).includes("ready"),
    );
    await meanwhile();
    await scene.docker("stop", container);
    const log = await scene.docker("logs", container);
    const questions = Number(/^questions: (\d+)$/m.exec(log)?.[1] ?? 0);
    if (questions === 0) throw new Error("the proxy asked Docker's DNS nothing: nothing was tried");
    scene.say(`DNS is back; ${questions} questions met the fault`);
  } finally {
    await attempt("docker", ["rm", "--force", container], { detached: true });
  }
}
