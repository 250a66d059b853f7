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
      "Builds task6's back-end anew and replaces its running servers without a gap. When the new ones do not become healthy, the old ones stay.",
    )
    .parse();

  if ((await engineVersion()) === undefined) {
    throw new UserError("task6 does not run, nor does any Docker engine: npm start.");
  }
  const stack = { folder: path.join(root, "task6") };
  const [proxy] = await listContainers(stack, "proxy");
  const port = proxy?.published[0];
  if (port === undefined) throw new UserError("task6 does not run: npm start.");

  let lines: string[] = [];
  await runSteps([
    {
      title: "task6",
      run: async (report) => {
        const url = `http://localhost:${port}/api/hello`;
        const servers = await redeploy(stack, { service: "back-end", url, signal, report });
        lines = servers.map(({ name }) => `  ${name}`);
        return "task6: every API server is new";
      },
    },
  ]);
  process.stdout.write(`The API is served by\n${lines.join("\n")}\n`);
  return undefined;
});
