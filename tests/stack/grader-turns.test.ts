import { expect, it } from "vitest";
import { takesTurns } from "../../tools/grader/checks/command";
import type { TaskFolder } from "../../tools/grader/repository";
import { tidyUp } from "../../tools/grader/sandbox";
import { Subject } from "../../tools/grader/subject";
import { type Port, sandboxOf, usePorts, withTasks } from "../lib/grader-fixtures";
import { describeOnEngine } from "../lib/stacks";

const conf = "task6/proxy/proxy.conf";

/** Has nginx choose a server of the upstream in another way. */
const chooseBy = (directive: string) => (port: Port) =>
  port.replace(conf, "zone api 64k;", `zone api 64k;\n  ${directive};`);

describeOnEngine("who served each request", { concurrent: true, timeout: 300_000 }, () => {
  const portOf = usePorts();

  it.each<[string, (port: Port) => Promise<void>, string, RegExp]>([
    [
      "the API prints nothing",
      (port) => port.replace("task6/back-end/api.js", "console.log(", "String("),
      "pass",
      /^2 replicas, which served 20 and 20$/,
    ],
    [
      "nginx responds itself",
      (port) => port.replace(conf, "proxy_pass http://api;", 'return 200 "Hello, World!";'),
      "fail",
      /^40 of 40 requests reach no replica/,
    ],
    [
      "a copy of the service responds, too",
      async (port) => {
        const copy = "  copy:\n    build: {context: ./back-end, dockerfile: Dockerfile}\n";
        await port.append("task6/docker-compose.yml", `\n${copy}`);
        await port.replace(
          conf,
          "server back-end:5252;",
          "server back-end:5252; server copy:5252;",
        );
      },
      "fail",
      /^1[34] of 40 requests reach no replica/,
    ],
    [
      "the client's address decides",
      chooseBy("ip_hash"),
      "fail",
      /^one replica gets every request/,
    ],
    ["the path decides", chooseBy("hash $uri"), "fail", /^one replica gets every request/],
    ["chance decides", chooseBy("random"), "deviation", /not strictly in turn$/],
  ])("is read from outside the containers if %s", async (_, change, verdict, cause) => {
    const port = await portOf("task6");
    await change(port);
    await withTasks(port.folder, async (folders) => {
      const subject = new Subject(folders.get("task6") as TaskFolder, sandboxOf(port.name));
      const judged = await Promise.allSettled([takesTurns.judge(subject)]);
      await tidyUp(port.name);
      const finding = { verdict, cause: expect.stringMatching(cause) };
      expect(judged).toMatchObject([{ status: "rejected", reason: { finding } }]);
    });
  });
});
