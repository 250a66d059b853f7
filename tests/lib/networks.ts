import { argv } from "../../tools/lib/argv";
import type { Container } from "../../tools/lib/compose";
import { run } from "../../tools/lib/run";

/** @returns The addresses that a project's networks reserve for the host, used or not. */
export async function gatewaysOf(project: string): Promise<string[]> {
  const filter = `--filter=label=com.docker.compose.project=${project}`;
  const networks = (await run("docker", argv`network ls --quiet ${filter}`)).split("\n");
  const format = "--format={{range .IPAM.Config}}{{.Gateway}} {{end}}";
  const gateways = await run("docker", argv`network inspect ${format} ${networks}`);
  return gateways.split(/\s+/).filter(Boolean);
}

/** @param format A template for `docker inspect`. */
export const inspect = (container: string, format: string): Promise<string> =>
  run("docker", argv`inspect ${`--format=${format}`} ${container}`);

/** @returns The names of a container's networks. */
export async function networksOf({ id }: Container): Promise<string[]> {
  const networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
  return (await inspect(id, networks)).trim().split(" ");
}
