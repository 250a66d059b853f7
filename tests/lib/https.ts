import { X509Certificate } from "node:crypto";
import { chmod } from "node:fs/promises";
import { argv } from "../../tools/lib/argv";
import { listContainers } from "../../tools/lib/compose";
import { attempt } from "../../tools/lib/run";
import { type TestStack, useStack } from "./stacks";

/** Production with HTTPS, as {@link useStack}. */
export function useHttpsStack(): TestStack {
  const composeFiles = ["docker-compose.yml", "docker-compose.https.yml"];
  return useStack("production", ["back-end", "front-end", "proxy", "https"], composeFiles);
}

/**
 * Runs a shell script in a container with openssl.
 * @param options Of `docker run`.
 * @returns What it printed.
 */
export async function openssl(
  { project }: TestStack,
  script: string,
  options: readonly string[] = [],
): Promise<string> {
  const run = argv`run --rm ${options} ${project}-https sh -c ${`set -e; ${script}`}`;
  const { stdout, stderr } = await attempt("docker", run);
  return stdout + stderr;
}

/** Replaces a folder's files by a certificate for localhost, its key, and the authority that issued it, ca.pem. */
export async function issueCertificate(stack: TestStack, folder: string): Promise<void> {
  await chmod(folder, 0o777);
  const script = `rm -f *
    new="req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc"
    openssl $new -x509 -days 30 -subj /CN=authority -keyout ca.key -out ca.pem
    openssl $new -subj /CN=localhost -keyout privkey.pem -out request
    echo subjectAltName=DNS:localhost > names
    openssl x509 -req -in request -CA ca.pem -CAkey ca.key -days 30 -extfile names \
      -out fullchain.pem
    chmod 644 *`;
  await openssl(stack, script, argv`--volume=${folder}:/work --workdir=/work`);
}

/** @returns What `openssl s_client` reports of a handshake with the proxy. */
export async function handshake(stack: TestStack, args: readonly string[] = []): Promise<string> {
  const [proxy] = await listContainers(stack, "proxy");
  // By default OpenSSL itself refuses the old versions
  const client = argv`openssl s_client -connect 127.0.0.1:443 -alpn h2 -cipher ALL:@SECLEVEL=0`;
  const script = `${[...client, ...args].join(" ")} < /dev/null`;
  return openssl(stack, script, argv`--network=container:${proxy?.id ?? ""}`);
}

/** @returns The certificate that the proxy serves. */
export async function servedCertificate(stack: TestStack): Promise<X509Certificate> {
  return new X509Certificate(/-----BEGIN[\s\S]*?END.*/.exec(await handshake(stack))?.[0] ?? "");
}
