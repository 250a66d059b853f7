import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { UserError } from "../../lib/errors";
import { readReport, type TaskReport } from "../messages";
import { renderHtml } from "../render-html";
import { tasks } from "../repository";
import type { Graded } from "../session";
import { renderCsv } from "./csv";
import type { Member } from "./members";
import { renderClass } from "./render-class";
import { renderResult } from "./result-json";
import type { Row } from "./row";

const files = ["report.json", "report.html", "result.json"] as const;
const table = "class.csv";

/** The folder with a class's reports. */
export class Output {
  /**
   * @param folder An absolute path.
   * @param engine The versions of Docker Engine and Compose.
   * @param env What is known about the submission if there is only one.
   */
  constructor(
    readonly folder: string,
    private readonly engine: string,
    private readonly env: NodeJS.ProcessEnv = {},
  ) {}

  /** Writes what concerns the whole class. */
  writeClass(rows: readonly Row[]): void {
    write(path.join(this.folder, table), renderCsv(rows));
    write(path.join(this.folder, "index.html"), renderClass({ rows, engine: this.engine }));
  }

  /** Writes a repository's reports. */
  writeMember(member: Member, { reports, pictures }: Graded, digest: string): Row {
    const graded = new Date();
    const row: Row = { ...rowOf(member), tasks: reports, graded };
    const facts = { repository: member.name, graded, engine: this.engine, tasks: reports };
    const contents = {
      "report.html": renderHtml({ ...facts, pictures }),
      "result.json": renderResult(row, digest, this.env),
      // Last: it says that the others are complete
      "report.json": `${JSON.stringify({ version: 1, ...facts, digest }, null, 2)}\n`,
    };
    this.removeMember(member);
    const folder = path.join(this.folder, member.output);
    writing(() => mkdirSync(folder));
    for (const [file, content] of Object.entries(contents)) write(path.join(folder, file), content);
    return row;
  }

  /** Removes the reports of an earlier state of a repository. */
  removeMember({ output }: Member): void {
    const folder = path.join(this.folder, output);
    writing(() => {
      // Whatever else is there, such as a link, is not followed
      if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory())
        rmSync(folder, { force: true });
      else rmSync(folder, { recursive: true });
    });
  }

  /** @returns An earlier result of a repository, with the digest of what was graded. */
  readMember(member: Member): { row: Row; digest: string } | undefined {
    const folder = path.join(this.folder, member.output);
    try {
      const [text = ""] = files.map((file) => readFileSync(path.join(folder, file), "utf8"));
      const { graded, digest, tasks: reports } = JSON.parse(text) as Record<string, unknown>;
      const moment = new Date(String(graded));
      if (typeof digest !== "string" || !Array.isArray(reports) || Number.isNaN(+moment)) return;
      return {
        row: { ...rowOf(member), tasks: reports.flatMap(readTask), graded: moment },
        digest,
      };
    } catch {
      return undefined;
    }
  }
}

const rowOf = ({ name, output }: Member): Row => ({ name, output });

function readTask(report: Record<string, unknown>): TaskReport[] {
  const task = tasks.find((name) => name === report.task);
  return task === undefined ? [] : [readReport(task, report)];
}

/**
 * Makes the output folder.
 * @throws {UserError} if it cannot be written, or has other contents.
 */
export function prepareOutput(folder: string): void {
  writing(() => mkdirSync(folder, { recursive: true }));
  const names = readdirSync(folder);
  if (names.length > 0 && !names.includes(table)) {
    throw new UserError(`${folder} has other files: choose another folder with --out.`);
  }
}

/** Replaces a file at once: an interruption leaves no half of it, and no link is followed. */
function write(file: string, content: string): void {
  const draft = `${file}.new`;
  writing(() => {
    rmSync(draft, { force: true, recursive: true });
    writeFileSync(draft, content, { flag: "wx" });
    renameSync(draft, file);
  });
}

function writing(change: () => void): void {
  try {
    change();
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(`the reports cannot be written (${message}): choose another --out.`);
  }
}
