import type { Member } from "../../tools/grader/class/member";
import type { TaskReport } from "../../tools/grader/messages";
import type { Verdict } from "../../tools/grader/point";
import type { Task } from "../../tools/grader/repository";

/** @returns A report with these points, by the last parts of their ids. */
export const reportOf = (task: Task, points: Record<string, Verdict>): TaskReport => ({
  task,
  source: "1. Back-end",
  seconds: 1,
  points: Object.entries(points).map(([id, verdict]) => {
    return { id: `${task}.${id}`, title: "<b>title</b>", source: "", verdict, cause: "<i>" };
  }),
});

export const good: Member = {
  folder: "/class/good",
  name: "good",
  output: "good",
  graded: new Date("2026-03-04T05:06:07.890Z"),
  digest: "abcdef0123",
  tasks: [reportOf("task0", { folder: "pass", build: "deviation" })],
};
export const bad: Member = {
  ...good,
  name: "bad",
  output: "bad",
  tasks: [
    reportOf("task0", { folder: "pass", build: "fail", "<x> y": "fail" }),
    reportOf("task1", { port: "fail", hello: "skipped" }),
  ],
};
export const hostile = `=1+1"'></title><script>alert(1)</script>`;
export const broken: Member = { folder: "/", name: hostile, output: "hostile", problem: hostile };
