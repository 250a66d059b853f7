import path from "node:path";

export const root = path.join(__dirname, "../..");

/** One image of a step that the course builds and runs by hand, before Compose takes over. */
export interface Part {
  service: "back-end" | "front-end";
  /** Build context, from the step's folder. */
  context: string;
  image: string;
  /** The container's name in the course's `docker run`. */
  container: string;
  port: number;
}

/** A step of the course, and how the course runs it. */
export type Step =
  | { name: string; kind: "image"; image: string; container: string }
  | { name: string; kind: "parts"; parts: Part[] }
  | { name: string; kind: "compose" };

const backEnd = (task: string): Part => ({
  service: "back-end",
  context: "./back-end",
  image: `softy-pinko-back-end:${task}`,
  container: `softy-pinko-back-end-${task}`,
  port: 5252,
});

const frontEnd = (task: string): Part => ({
  service: "front-end",
  context: "./front-end",
  image: `softy-pinko-front-end:${task}`,
  container: `softy-pinko-front-end-${task}`,
  port: 9000,
});

/** The steps, in order; names, tags and ports are the text's (spec, tasks 0 to 6). */
export const steps: readonly Step[] = [
  { name: "task0", kind: "image", image: "softy-pinko:task0", container: "softy-pinko-task0" },
  {
    name: "task1",
    kind: "parts",
    parts: [
      {
        service: "back-end",
        context: ".",
        image: "softy-pinko:task1",
        container: "softy-pinko-task1",
        port: 5252,
      },
    ],
  },
  { name: "task2", kind: "parts", parts: [backEnd("task2"), frontEnd("task2")] },
  { name: "task3", kind: "parts", parts: [backEnd("task3"), frontEnd("task3")] },
  { name: "task4", kind: "compose" },
  { name: "task5", kind: "compose" },
  { name: "task6", kind: "compose" },
];
