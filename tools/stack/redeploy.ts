import path from "node:path";
import { commandLine, main } from "../lib/cli";
import { listContainers } from "../lib/compose";
import { root } from "../lib/course";
import { engineVersion } from "../lib/docker";
import { UserError } from "../lib/errors";
import { runSteps } from "../lib/progress";
import { redeploy } from "../lib/redeploy";

main(async (signal) => {
  commandLine("npm run redeploy")
    .description(
      "Builds the back-end of production and replaces its running servers without downtime. If the new ones do not become healthy, the old ones keep running.",
    )
    .parse();

  const stack = { folder: path.join(root, "production") };
  const isEngineRunning = (await engineVersion()) !== undefined;
  const [proxy] = isEngineRunning ? await listContainers(stack, "proxy") : [];
  const port = proxy?.published[0];
  if (port === undefined) {
    throw new UserError("production does not run: start it with npm start -- production.");
  }

  let servers: string[] = [];
  await runSteps([
    {
      title: "production",
      run: async (report) => {
        const url = `http://localhost:${port}/api/hello`;
        const containers = await redeploy(stack, { service: "back-end", url, signal, report });
        servers = containers.map(({ name }) => `  ${name}\n`);
        return "production: every API server is replaced";
      },
    },
  ]);
  process.stdout.write(`The API is served by\n${servers.join("")}`);
  return undefined;
});
