import { beforeAll } from "vitest";
import { describeInBrowser, TestBrowser } from "../lib/browser";
import { buildImage, type RunningPart, removeAfterwards, startImage } from "../lib/parts";
import { apiAt, itIsAWholePage, itShowsWhatTheApiSays, type Site } from "../lib/site-checks";

describeInBrowser("task2 in a browser", () => {
  let frontEnd: RunningPart;
  removeAfterwards(() => [frontEnd.image]);
  beforeAll(async () => {
    frontEnd = await startImage(await buildImage("task2", "./front-end"), 9000);
  });
  const site = (): Site => ({ url: frontEnd.url, stopApi: async () => undefined });
  itIsAWholePage(TestBrowser.use(), "task2", site);
});

describeInBrowser("task3 in a browser", () => {
  let frontEnd: RunningPart;
  let backEnd: RunningPart;
  removeAfterwards(() => [frontEnd.image, backEnd.image]);
  beforeAll(async () => {
    backEnd = await startImage(await buildImage("task3", "./back-end"), 5252);
    frontEnd = await startImage(await buildImage("task3", "./front-end"), 9000);
  });
  const browser = TestBrowser.use(() => apiAt(new URL(backEnd.url).port));
  const site = (): Site => ({ url: frontEnd.url, stopApi: backEnd.stop });
  itIsAWholePage(browser, "task3", site);
  itShowsWhatTheApiSays(browser, "task3", site);
});
