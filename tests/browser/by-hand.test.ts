import { beforeAll } from "vitest";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { type RunningPart, useParts } from "../lib/parts";
import { apiAt, itIsAWholePage, itShowsWhatTheApiSays, type Site } from "../lib/site-checks";

describeInBrowser("task2 in a browser", () => {
  const parts = useParts("task2");
  let frontEnd: RunningPart;
  beforeAll(async () => {
    frontEnd = await parts.start("./front-end", 9000);
  });
  const site = (): Site => ({ url: frontEnd.url, stopApi: async () => undefined });
  itIsAWholePage(TestBrowser.use(), "task2", site);
});

describeInBrowser("task3 in a browser", () => {
  const parts = useParts("task3");
  let frontEnd: RunningPart;
  let backEnd: RunningPart;
  beforeAll(async () => {
    backEnd = await parts.start("./back-end", 5252);
    frontEnd = await parts.start("./front-end", 9000);
  });
  const browser = TestBrowser.use(() => apiAt(new URL(backEnd.url).port));
  const site = (): Site => ({ url: frontEnd.url, stopApi: backEnd.stop });
  itIsAWholePage(browser, "task3", site);
  itShowsWhatTheApiSays(browser, "task3", site);
});
