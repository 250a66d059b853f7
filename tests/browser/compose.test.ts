import { beforeAll } from "vitest";
import { compose } from "../../tools/lib/compose";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { apiAt, itIsAWholePage, itShowsWhatTheApiSays, type Site } from "../lib/site-checks";
import { bringUp, useStack } from "../lib/stacks";

describeInBrowser("task4 in a browser", () => {
  const stack = useStack("task4", ["back-end", "front-end"]);
  beforeAll(() => bringUp(stack));
  const browser = TestBrowser.use(() => apiAt(stack.ports.backEnd));
  const site = (): Site => ({
    url: `http://localhost:${stack.ports.frontEnd}`,
    stopApi: () => compose(stack, ["stop", "back-end"]),
  });
  itIsAWholePage(browser, "task4", site);
  itShowsWhatTheApiSays(browser, "task4", site);
});

// Production's are in load-balancer.test.ts, so that it is started only once
for (const task of ["task5", "task6"]) {
  describeInBrowser(`${task} in a browser`, () => {
    const stack = useStack(task, ["back-end", "front-end", "proxy"]);
    beforeAll(() => bringUp(stack));
    const browser = TestBrowser.use();
    const site = (): Site => ({
      url: `http://localhost:${stack.ports.proxy}`,
      stopApi: () => compose(stack, ["stop", "back-end"]),
    });
    itIsAWholePage(browser, task, site);
    itShowsWhatTheApiSays(browser, task, site);
  });
}
