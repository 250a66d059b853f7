import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { argv } from "../../tools/lib/argv";
import { compose, listContainers, takeDown } from "../../tools/lib/compose";
import { root } from "../../tools/lib/course";
import { fetchAnswer, waitUntilServed } from "../../tools/lib/http";
import { attempt } from "../../tools/lib/run";
import { waitUntil } from "../../tools/lib/wait";
import { startScript } from "../lib/child";
import { rightsIn, writableFolders } from "../lib/confinement";
import {
  handshake,
  issueCertificate,
  openssl,
  servedCertificate,
  useHttpsStack,
} from "../lib/https";
import { bringUp, describeOnEngine, ownName } from "../lib/stacks";

const daysUntil = (date: string): number => (Date.parse(date) - Date.now()) / 86_400_000;

/** OpenSSL before 3.4 lacks -not_after, later versions refuse negative days. */
const expire = `sign="openssl x509 -in fullchain.pem -signkey privkey.pem -out expired"
  $sign -not_before 20200101000000Z -not_after 20210101000000Z || $sign -days -1
  mv expired fullchain.pem`;

const stack = useHttpsStack();
const secure = (): string => `https://localhost:${stack.ports.https}`;

/** Prepares the proxy's folder as a start does. @returns What it printed. */
async function prepare(env: Record<string, string>, then = ""): Promise<string> {
  const script = `sh /usr/local/bin/prepare 2>&1 ${then}`;
  const options = { cwd: stack.folder, env: { ...stack.env, ...env } };
  const run = argv`compose --project-name=${stack.project} run --rm -T https sh -c ${script}`;
  const { stdout, stderr } = await attempt("docker", run, options);
  return stdout + stderr;
}

async function attemptStart(env: Record<string, string>): Promise<string> {
  const up = argv`compose --project-name=${stack.project} up --detach`;
  return (await attempt("docker", up, { cwd: stack.folder, env })).stderr;
}

const inProxy = (command: string): Promise<string> =>
  compose(stack, argv`exec -T proxy sh -c ${command}`);

beforeAll(async () => {
  Object.assign(stack.env, { HTTPS_CERTIFICATES: "", HTTPS_NAME: "box.lan" });
  await bringUp(stack);
});

describeOnEngine("production with docker-compose.https.yml", () => {
  const plain = (): string => `http://localhost:${stack.ports.proxy}`;

  it.each([
    ["/", 503],
    ["/", 200],
    ["/api/hello", 200],
    ["/missing", 404],
  ])("responds to %s with %d, and keeps browsers on HTTPS", async (file, expected) => {
    const ca = (await servedCertificate(stack)).toString();
    if (expected === 503) await compose(stack, ["stop", "front-end"]);
    const { status, headers } = await fetchAnswer(`${secure()}${file}`, { ca });
    expect(status).toBe(expected);
    expect(headers["strict-transport-security"]).toBe("max-age=63072000");
    await bringUp(stack);
    // nginx resolves the name of a front-end that is back up to two seconds later
    await waitUntilServed(`${secure()}/`, { timeoutMs: 10_000 });
  });

  it.each(["GET", "POST"])("redirects %s, with path, query and the host's port", async (method) => {
    const options = { method, headers: { Host: "Box.lan:8080" } };
    const { status, headers } = await fetchAnswer(`${plain()}/api/a%20b?c=d&e`, options);
    expect(status).toBe(308);
    expect(headers.location).toBe(`https://box.lan:${stack.ports.https}/api/a%20b?c=d&e`);
    // https://www.rfc-editor.org/rfc/rfc6797#section-7.2
    expect(headers).not.toHaveProperty("strict-transport-security");
    expect(await fetchAnswer(`${plain()}/health`)).toMatchObject({ status: 200 });
  });

  it.each([
    ["443", ""],
    ["127.0.0.1:8443", ":8443"],
  ])("redirects with HTTPS_PORT=%s to the port %j", async (port, suffix) => {
    const read = "&& head -n 1 /https/https.conf";
    expect(await prepare({ HTTPS_PORT: port }, read)).toContain(`$https_port "${suffix}";`);
  });

  it.each([
    ["-tls1_3", "TLS_AES_256_GCM_SHA384"],
    ["-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384"],
    ["-tls1_1", "(NONE)"],
    ["-tls1", "(NONE)"],
    // No forward secrecy
    ["-tls1_2 -cipher kRSA", "(NONE)"],
    // No authenticated encryption
    ["-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "(NONE)"],
  ])("agrees with a client with %s on %s", async (args, cipher) => {
    const report = await handshake(stack, args.split(" "));
    expect(report).toContain(`Cipher is ${cipher}\n`);
    if (cipher !== "(NONE)") expect(report).toContain("ALPN protocol: h2");
  });

  it("lets npm run redeploy replace the API's server", async () => {
    const servers = async () => (await listContainers(stack, "back-end")).map(({ id }) => id);
    const [old] = await servers();
    const env = { ...stack.env, COMPOSE_PROJECT_NAME: stack.project };
    const child = startScript(["tools/stack/redeploy.ts"], { cwd: root, env });
    expect([await child.ended, child.output.stderr]).toEqual([0, expect.any(String)]);
    expect(await servers()).toEqual([expect.not.stringContaining(old ?? "")]);
  });

  it("is what npm start shows", async () => {
    const env = { ...stack.env, COMPOSE_PROJECT_NAME: stack.project };
    const child = startScript(["tools/stack/start.ts", "production"], { cwd: root, env });
    expect([await child.ended, child.output.stderr]).toEqual([0, expect.any(String)]);
    const lines = child.output.stdout.split("\n");
    expect(lines[0]).toBe(`production is up: ${secure()}`);
    expect(lines[2]).toBe(`6 requests to ${secure()}/api/hello returned Hello, World!`);
  });

  it("would be found to accept TLS 1.1 if it did", async () => {
    const old = "-tls1_1 -cipher ALL:@SECLEVEL=0";
    const script = `cd /tmp
      openssl req -x509 -newkey rsa:2048 -noenc -subj /CN=old -keyout key -out certificate
      openssl s_server -www -accept 443 -cert certificate -key key ${old} &
      for try in $(seq 50); do
        openssl s_client -connect 127.0.0.1:443 ${old} < /dev/null && break || sleep 0.1
      done
      kill $!`;
    expect(await openssl(stack, script)).toMatch(/^New, .* Cipher is ECDHE/m);
  });
});

describeOnEngine("the certificate", () => {
  let own = "";
  const withOwn = () => ({ ...stack, env: { ...stack.env, HTTPS_CERTIFICATES: own } });
  beforeAll(async () => {
    own = await mkdtemp(path.join(tmpdir(), ownName("certificates")));
  });
  afterAll(() => rm(own, { recursive: true, force: true }));

  it("is for a year, and only nginx's user can read its key", async () => {
    const { subjectAltName, publicKey, validTo, ca: isAuthority } = await servedCertificate(stack);
    expect(subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, DNS:box.lan");
    expect(publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(isAuthority).toBe(false);
    expect(daysUntil(validTo)).toBeCloseTo(365, 0);
    const files = await inProxy("cd /etc/nginx/https && stat -c '%u %a %n' . *.pem self-signed");
    expect(files).toBe(
      "101 700 .\n101 400 fullchain.pem\n101 400 privkey.pem\n101 700 self-signed",
    );
    expect(await compose(stack, argv`logs https`)).toMatch(/real one, set HTTPS_CERTIFICATES/);
  });

  it("gives the proxy no more rights, and leaves no key in an image", async () => {
    const [proxy] = await listContainers(stack, "proxy");
    expect(await rightsIn(proxy?.id ?? "")).toEqual([]);
    expect((await writableFolders(proxy?.id ?? "")).join()).not.toContain("https");
    for (const image of ["proxy", "https"].map((service) => `${stack.project}-${service}`)) {
      const grep = argv`grep -rIl -e ${"-BEGIN .*PRIVATE KEY"} /etc /https /home /opt /root /usr /var`;
      const { stdout } = await attempt("docker", argv`run --rm --user=0 ${image} ${grep}`);
      expect(stdout).toBe("");
    }
  });

  it("keeps the certificate over restarts, until 30 days before its end", async () => {
    const { fingerprint256 } = await servedCertificate(stack);
    await takeDown(stack);
    await bringUp(stack);
    expect((await servedCertificate(stack)).fingerprint256).toBe(fingerprint256);

    const files = "-in fullchain.pem -signkey privkey.pem -out fullchain.pem";
    for (const days of [31, 29]) {
      await prepare({}, `&& cd /https/self-signed && openssl x509 ${files} -days ${days}`);
      const renewed = days < 30 ? 365 : days;
      await prepare({});
      await inProxy("nginx -s reload");
      await waitUntil(
        async () => Math.round(daysUntil((await servedCertificate(stack)).validTo)) === renewed,
        { for: `a certificate for ${renewed} days`, timeoutMs: 10_000 },
      );
    }
  });

  it("uses the user's certificate instead, and a renewed one after a reload", async () => {
    const authority = () => readFile(path.join(own, "ca.pem"), "utf8");
    await issueCertificate(stack, own);
    await bringUp(withOwn());
    expect(await fetchAnswer(secure(), { ca: await authority() })).toMatchObject({ status: 200 });

    await issueCertificate(stack, own);
    const renewed = await authority();
    expect(await prepare(withOwn().env)).toMatch(/uses the certificate in .*, valid until/);
    await inProxy("nginx -s reload");
    const isServed = async () => (await fetchAnswer(secure(), { ca: renewed })).status === 200;
    await waitUntil(isServed, { for: "the renewed certificate", timeoutMs: 10_000 });
  });

  it.each([
    ["has no privkey.pem. Copy it there, or unset HTTPS_CERTIFICATES.", "rm privkey.pem"],
    ["fullchain.pem is a link to another folder. Replace it", "ln -sf ../away fullchain.pem"],
    ["nginx's user cannot read", "chmod 0 privkey.pem"],
    ["fullchain.pem is not a certificate in PEM format.", "echo > fullchain.pem"],
    ["privkey.pem is not the key of fullchain.pem, or has", "cp ca.key privkey.pem"],
    ["expired on", expire],
  ])("prevents the start and says why: %s", async (message, damage) => {
    await issueCertificate(stack, own);
    await openssl(stack, damage, argv`--volume=${own}:/work --workdir=/work`);
    expect(await prepare(withOwn().env)).toContain(message);
    expect(await attemptStart(withOwn().env)).toMatch(/didn't complete successfully: exit 1/);
  });

  it("prevents the start if its folder does not exist, and does not create it", async () => {
    const missing = path.join(own, "missing");
    const message = `bind source path does not exist: ${missing}`;
    expect(await attemptStart({ ...stack.env, HTTPS_CERTIFICATES: missing })).toContain(message);
    expect(existsSync(missing)).toBe(false);
  });
});
