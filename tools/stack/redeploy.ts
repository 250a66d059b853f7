import path from "node:path";
import { commandLine, main } from "../lib/cli";
import { listContainers } from "../lib/compose";
import { root } from "../lib/course";
import { UserError } from "../lib/errors";
import { findEngine } from "../lib/find-docker";
import { type Report, runSteps } from "../lib/progress";
import { redeploy } from "../lib/redeploy";

main(async (signal) => {
  commandLine("npm run redeploy")
    .description(
      "Builds the back-end of production and replaces its running servers without downtime. If the new ones do not become healthy, the old ones keep running.",
    )
    .parse();

  const stack = { folder: path.join(root, "production") };
  const isEngineRunning = (await findEngine()) !== undefined;
  const [proxy] = isEngineRunning ? await listContainers(stack, "proxy") : [];
  // The second port, of HTTPS, if docker-compose.https.yml is in use: the first one redirects to it
  const [port, securePort] = proxy?.published ?? [];
  if (port === undefined) {
    throw new UserError("production does not run: start it with npm start -- production.");
  }

  const origin = securePort ? `https://localhost:${securePort}` : `http://localhost:${port}`;
  const lines = ["The API is served by"];
  const run = async (report: Report): Promise<string> => {
    const target = { service: "back-end", url: `${origin}/api/hello` };
    const servers = await redeploy(stack, { ...target, signal, report });
    lines.push(...servers.map(({ name }) => `  ${name}`));
    return "production: every API server is replaced";
  };
  await runSteps([{ title: "production", run }]);
  process.stdout.write(`${lines.join("\n")}\n`);
  return undefined;
});
