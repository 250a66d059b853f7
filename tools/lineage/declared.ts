/** How a step follows from the one before: a copy with these changes. */
export interface Descent {
  task: string;
  from: string;
  /** The folder that the predecessor's files move into, if they move. */
  movedTo?: string;
  /** Files that the predecessor does not have; a final slash stands for a whole folder. */
  added: string[];
  /** Files that the predecessor has and this step changes. */
  changed: string[];
}

/** The course says of each step: "make a copy of the previous one" (spec, tasks 1 to 6). */
export const descents: readonly Descent[] = [
  {
    task: "task1",
    from: "task0",
    added: [".dockerignore", "api.ts", "package.json", "package-lock.json", "tsconfig.json"],
    changed: ["Dockerfile"],
  },
  { task: "task2", from: "task1", movedTo: "back-end/", added: ["front-end/"], changed: [] },
  {
    task: "task3",
    from: "task2",
    added: ["front-end/.dockerignore", "front-end/package.json", "front-end/package-lock.json"],
    changed: [
      "back-end/api.ts",
      "back-end/package.json",
      "back-end/package-lock.json",
      "front-end/Dockerfile",
      "front-end/softy-pinko-front-end/index.html",
    ],
  },
  { task: "task4", from: "task3", added: ["docker-compose.yml"], changed: [] },
  {
    task: "task5",
    from: "task4",
    added: ["proxy/"],
    changed: ["docker-compose.yml", "front-end/softy-pinko-front-end/index.html"],
  },
  {
    task: "task6",
    from: "task5",
    added: ["2-api-servers.txt"],
    changed: ["docker-compose.yml", "proxy/proxy.conf"],
  },
  {
    task: "production",
    from: "task6",
    added: [
      "docker-compose.https.yml",
      "docker-stack.yml",
      "docker-stack.encrypted.yml",
      "front-end/scripts/",
      "front-end/softy-pinko-front-end/load-balancer.css",
      "front-end/softy-pinko-front-end/load-balancer.html",
      "front-end/softy-pinko-front-end/not-found.html",
      "front-end/tsconfig.json",
      "https/",
      "proxy/away.html",
      "proxy/failover.conf",
      "proxy/forwarded.conf",
      "proxy/headers.conf",
      "proxy/limits.conf",
      "proxy/log.conf",
    ],
    changed: [
      "back-end/Dockerfile",
      "back-end/api.ts",
      "back-end/package.json",
      "back-end/package-lock.json",
      "docker-compose.yml",
      "front-end/Dockerfile",
      "front-end/package.json",
      "front-end/package-lock.json",
      "front-end/softy-pinko-front-end.conf",
      "front-end/softy-pinko-front-end/index.html",
      "proxy/Dockerfile",
      "proxy/proxy.conf",
    ],
  },
];
