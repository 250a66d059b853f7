import { expect } from "vitest";
import type { Verdict } from "../../tools/grader/point";
import type { Task } from "../../tools/grader/repository";
import type { Port } from "./grader-fixtures";

/** A port of one task with mistakes, and the points that do not hold because of them. */
export class Case {
  readonly changes: ((port: Port) => Promise<void>)[] = [];
  readonly expected: unknown[] = [];
  private readonly outcomes: string[] = [];

  constructor(
    readonly task: Task,
    private readonly condition: string,
  ) {}

  get title(): string {
    return `${this.task} ${this.outcomes.join(" and ")} if ${this.condition}`;
  }

  /** Changes the port; `at` puts the task's folder before a path. */
  change(make: (port: Port, at: (file: string) => string) => Promise<void>): this {
    this.changes.push((port) => make(port, (file) => `${this.task}/${file}`));
    return this;
  }

  replace(file: string, text: string, by: string): this {
    return this.change((port, at) => port.replace(at(file), text, by));
  }

  remove(file: string): this {
    return this.change((port, at) => port.remove(at(file)));
  }

  move(from: string, to: string): this {
    return this.change((port, at) => port.move(at(from), at(to)));
  }

  /** @param at Such as `Dockerfile:2`, from the task's folder. */
  fails(id: string, cause: RegExp, at?: string): this {
    this.outcomes.push(`fails the point '${id}'`);
    return this.addExpected(id, "fail", cause, at);
  }

  deviates(id: string, cause = /./, at?: string): this {
    this.outcomes.push(`deviates at the point '${id}'`);
    return this.addExpected(id, "deviation", cause, at);
  }

  private addExpected(id: string, verdict: Verdict, cause: RegExp, at?: string): this {
    const [file, line] = at === undefined ? [] : `${this.task}/${at}`.replace(/\/$/, "").split(":");
    const point = {
      id: `${this.task}.${id}`,
      verdict,
      cause: expect.stringMatching(cause),
      hint: expect.any(String),
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line: Number(line) }),
    };
    this.expected.push(expect.objectContaining(point));
    return this;
  }
}

export const when = (task: Task, condition: string): Case => new Case(task, condition);
