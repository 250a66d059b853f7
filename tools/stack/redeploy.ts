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
      "Builds the back-end of the stack in production/ anew and replaces its running servers without a gap. If the new ones do not become healthy, the old ones stay.",
    )
    .parse();

  if ((await engineVersion()) === undefined) {
    throw new UserError(
      "Neither a Docker engine nor the stack in production/ runs: npm start -- production.",
    );
  }
  const stack = { folder: path.join(root, "production") };
  const [proxy] = await listContainers(stack, "proxy");
  const port = proxy?.published[0];
  if (port === undefined)
    throw new UserError("The stack in production/ does not run: npm start -- production.");

  let lines: string[] = [];
  await runSteps([
    {
      title: "production",
      run: async (report) => {
        const url = `http://localhost:${port}/api/hello`;
        const servers = await redeploy(stack, { service: "back-end", url, signal, report });
        lines = servers.map(({ name }) => `  ${name}`);
        return "production: every API server is new";
      },
    },
  ]);
  process.stdout.write(`The API is served by\n${lines.join("\n")}\n`);
  return undefined;
});
