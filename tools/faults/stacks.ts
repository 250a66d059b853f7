import type { Probe } from "./judge";

/** The stacks that the lab can test; task6 and task5 are there for comparison. */
export const stackNames = ["production", "production-https", "task6", "task5"] as const;
export type StackName = (typeof stackNames)[number];

/** The service whose replicas share the load, and the command of its containers. */
export const api = { service: "back-end", command: ["dist/api.js"] };

export const probes: readonly Probe[] = [
  { path: "/api/hello", kind: "api", isExpected: (body) => body === "Hello, World!" },
  {
    path: "/",
    kind: "page",
    isExpected: (body) =>
      body.includes('id="dynamic-content"') && body.trimEnd().endsWith("</html>"),
  },
];
