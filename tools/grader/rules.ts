import type { TaskCheck } from "./check";
import { showsGreeting } from "./checks/browser";
import * as command from "./checks/command";
import * as compose from "./checks/compose";
import * as frontEnd from "./checks/front-end";
import * as images from "./checks/images";
import * as proxy from "./checks/proxy";
import * as responses from "./checks/responses";
import * as running from "./checks/running";
import type { Task } from "./repository";

interface TaskRules {
  /** The section of the text. */
  source: string;
  checks: readonly TaskCheck[];
}

const apiUrl = "http://localhost:5252/api/hello";

const apiDockerfile = images.hasDockerfile("dockerfile", "back-end");

const apiImage: TaskCheck[] = [
  apiDockerfile,
  images.isBasedOn("ubuntu", "base", "back-end", ["dockerfile"]),
  images.isUpgraded,
  images.builds("build", "back-end", ["dockerfile"]),
];

/** The API's image and what it does, from task1 on. */
const api: TaskCheck[] = [
  ...apiImage,
  images.worksInApp,
  running.isReachable("port", "back-end", ["build"]),
  responses.returnsHello("back-end", ["port"]),
];

const siteFiles: TaskCheck[] = [
  images.hasDockerfile("front-end-dockerfile", "front-end"),
  images.isBasedOn("nginx", "front-end-base", "front-end", ["front-end-dockerfile"]),
  frontEnd.hasSite,
  frontEnd.hasConf,
];

const siteNeeds = ["front-end-dockerfile", "front-end-base", "site", "conf"] as const;
const site: TaskCheck[] = [
  ...siteFiles,
  images.builds("front-end-build", "front-end", siteNeeds),
  frontEnd.hasPathsInImage,
  running.isReachable("front-end-port", "front-end", ["paths"]),
  responses.returnsPage("front-end", ["front-end-port", "site", "paths"]),
];

const composeFile: TaskCheck[] = [
  compose.hasComposeFile,
  compose.isSafe,
  compose.hasServices,
  compose.namesBuilds,
  compose.namesImages,
];

/** The files of a stack with a proxy. */
const proxiedFiles: TaskCheck[] = [
  apiDockerfile,
  ...siteFiles,
  frontEnd.hasDynamicHeading,
  frontEnd.requestsApi("/api/hello"),
  images.hasDockerfile("proxy-dockerfile", "proxy"),
  images.isBasedOn("nginx", "proxy-base", "proxy", ["proxy-dockerfile"]),
  proxy.copiesConf,
  ...composeFile,
  compose.publishes("proxy"),
  compose.ordersStart("proxy"),
  proxy.routesToServices,
];

const stackNeeds = ["dockerfile", "front-end-dockerfile", "front-end-base", "conf"] as const;
const proxyNeeds = ["proxy-dockerfile", "proxy-base", "proxy-paths", "upstreams"] as const;
const pageNeeds = ["hello", "page", "heading", "script"] as const;

/** A stack with a proxy, started. */
const proxiedStack: TaskCheck[] = [
  running.comesUp([...stackNeeds, ...proxyNeeds]),
  responses.returnsHello("proxy", ["up", "ports"]),
  responses.returnsPage("proxy", ["up", "ports", "site"]),
  showsGreeting("proxy", pageNeeds),
];

/** The requirements of each task, in the order in which a person would check them. */
export const rules: Record<Task, TaskRules> = {
  task0: { source: "0. Create Your First Docker Image", checks: [...apiImage, images.printsHello] },
  task1: { source: "1. Back-end", checks: [...api, running.endsOnInterrupt] },
  task2: { source: "2. Front-end", checks: [...api, ...site] },
  task3: {
    source: "3. Connecting the Front-end and Back-end",
    checks: [
      ...api,
      responses.allowsOtherOrigins,
      ...site,
      frontEnd.hasDynamicHeading,
      frontEnd.requestsApi(apiUrl),
      showsGreeting("front-end", [...pageNeeds, "cors"]),
    ],
  },
  task4: {
    source: "4. Making it Simpler with Docker Compose",
    checks: [
      apiDockerfile,
      ...siteFiles,
      frontEnd.hasDynamicHeading,
      frontEnd.requestsApi(apiUrl),
      ...composeFile,
      compose.publishes("back-end", "front-end"),
      compose.ordersStart("front-end"),
      running.comesUp(stackNeeds),
      responses.returnsHello("back-end", ["up", "ports"]),
      responses.returnsPage("front-end", ["up", "ports", "site"]),
      showsGreeting("front-end", pageNeeds),
    ],
  },
  task5: { source: "5. Proxy Server", checks: [...proxiedFiles, ...proxiedStack] },
  task6: {
    source: "6. Scale Horizontally",
    checks: [
      command.hasFile,
      ...proxiedFiles,
      command.meansTwo,
      command.isExact,
      compose.canScale,
      ...proxiedStack,
      command.startsTwo,
      command.takesTurns,
    ],
  },
};
