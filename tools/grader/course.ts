import { showsGreeting } from "./checks/browser";
import {
  commandMeansTwo,
  commandStartsTwo,
  hasCommandFile,
  hasExactCommand,
  takesTurns,
} from "./checks/command";
import {
  canScale,
  hasComposeFile,
  hasServices,
  isSafe,
  namesBuilds,
  namesImages,
  ordersStart,
  publishes,
} from "./checks/compose";
import { hasConf, hasPathsInImage, hasSite, servesSite } from "./checks/front-end";
import {
  answersAt,
  builds,
  endsOnInterrupt,
  hasDockerfile,
  isBasedOn,
  isUpgraded,
  printsHello,
  saysHello,
  worksInApp,
} from "./checks/images";
import { allowsOtherOrigins, asksApi, hasDynamicHeading } from "./checks/page";
import { copiesProxyConf, routesToServices } from "./checks/proxy";
import { answersHello, answersPage, comesUp } from "./checks/running";
import type { Check } from "./point";
import type { Task } from "./repository";
import type { Role, Subject } from "./subject";

interface TaskRules {
  /** The section of the text. */
  source: string;
  checks: readonly Check<Subject>[];
}

const direct = "http://localhost:5252/api/hello";

/** The API's image and what it does, from task1 on. */
const api = (dockerfile: string, where: string): Check<Subject>[] => [
  hasDockerfile("back-end", dockerfile, where),
  isBasedOn("back-end", "base", "ubuntu", dockerfile),
  isUpgraded("upgrade", dockerfile),
  builds("back-end", "build", [dockerfile]),
  worksInApp,
  answersAt("back-end", "port", 5252, "build"),
  saysHello("port"),
];

const frontEndFiles: Check<Subject>[] = [
  hasDockerfile("front-end", "front-end-dockerfile", "front-end"),
  isBasedOn("front-end", "front-end-base", "nginx", "front-end-dockerfile"),
  hasSite,
  hasConf,
];

const frontEnd: Check<Subject>[] = [
  ...frontEndFiles,
  builds("front-end", "front-end-build", [
    "front-end-dockerfile",
    "front-end-base",
    "site",
    "conf",
  ]),
  hasPathsInImage,
  answersAt("front-end", "front-end-port", 9000, "paths"),
  servesSite,
];

const stackOf = (roles: readonly Role[], published: readonly Role[]): Check<Subject>[] => [
  hasComposeFile,
  isSafe,
  hasServices(roles),
  namesBuilds(roles),
  namesImages(roles),
  publishes(published),
];

/** What a browser needs to show the API's answer, besides the answer itself. */
const shownWith = ["page", "heading", "script"];

const two = ["back-end", "front-end"] as const;
const three = ["back-end", "front-end", "proxy"] as const;

const throughProxy: Check<Subject>[] = [
  hasDockerfile("back-end", "dockerfile", "back-end"),
  ...frontEndFiles,
  hasDynamicHeading,
  asksApi("/api/hello"),
  hasDockerfile("proxy", "proxy-dockerfile", "proxy"),
  isBasedOn("proxy", "proxy-base", "nginx", "proxy-dockerfile"),
  copiesProxyConf,
  ...stackOf(three, ["proxy"]),
  ordersStart("proxy"),
  routesToServices,
];

/** What each task must hold, in the order in which a person would look (spec, tasks 0 to 6). */
export const rules: Record<Task, TaskRules> = {
  task0: {
    source: "0. Create Your First Docker Image",
    checks: [
      hasDockerfile("back-end", "dockerfile", "the folder"),
      isBasedOn("back-end", "base", "ubuntu", "dockerfile"),
      isUpgraded("upgrade", "dockerfile"),
      builds("back-end", "build", ["dockerfile"]),
      printsHello,
    ],
  },
  task1: { source: "1. Back-end", checks: [...api("dockerfile", "the folder"), endsOnInterrupt] },
  task2: { source: "2. Front-end", checks: [...api("dockerfile", "back-end"), ...frontEnd] },
  task3: {
    source: "3. Connecting the Front-end and Back-end",
    checks: [
      ...api("dockerfile", "back-end"),
      allowsOtherOrigins,
      ...frontEnd,
      hasDynamicHeading,
      asksApi(direct),
      showsGreeting("front-end", ["hello", "cors", ...shownWith]),
    ],
  },
  task4: {
    source: "4. Making it Simpler with Docker Compose",
    checks: [
      hasDockerfile("back-end", "dockerfile", "back-end"),
      ...frontEndFiles,
      hasDynamicHeading,
      asksApi(direct),
      ...stackOf(two, two),
      ordersStart("front-end"),
      comesUp(two),
      answersHello("back-end"),
      answersPage("front-end"),
      showsGreeting("front-end", ["hello", ...shownWith]),
    ],
  },
  task5: {
    source: "5. Proxy Server",
    checks: [
      ...throughProxy,
      comesUp(three),
      answersHello("proxy"),
      answersPage("proxy"),
      showsGreeting("proxy", ["hello", ...shownWith]),
    ],
  },
  task6: {
    source: "6. Scale Horizontally",
    checks: [
      hasCommandFile,
      ...throughProxy,
      commandMeansTwo,
      hasExactCommand,
      canScale,
      comesUp(three),
      answersHello("proxy"),
      answersPage("proxy"),
      showsGreeting("proxy", ["hello", ...shownWith]),
      commandStartsTwo,
      takesTurns,
    ],
  },
};
