import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../lib/errors";
import type { TaskReport } from "../messages";
import { renderHtml } from "../render-html";
import type { Graded } from "../session";
import { renderCsv } from "./csv";
import type { Member } from "./member";
import { renderClass } from "./render-class";
import { renderResult } from "./result-json";

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
  writeClass(members: readonly Member[]): void {
    write(path.join(this.folder, table), renderCsv(members));
    write(path.join(this.folder, "index.html"), renderClass(members, this.engine));
  }

  /** Removes the reports of an earlier state of a repository, and writes its reports if it is graded. */
  writeMember(member: Member, pictures: Graded["pictures"] = new Map()): void {
    const { name, output, tasks, graded, digest } = member;
    const folder = path.join(this.folder, output);
    // A link is removed, not followed
    writing(() => rmSync(folder, { recursive: true, force: true }));
    if (tasks === undefined || graded === undefined) return;
    writing(() => mkdirSync(folder));
    const facts = { repository: name, graded, engine: this.engine, tasks };
    const json = JSON.stringify({ version: 1, ...facts, digest }, null, 2);
    write(path.join(folder, "report.html"), renderHtml({ ...facts, pictures }));
    write(path.join(folder, "result.json"), renderResult(member, this.env));
    // Last: it says that the others are complete
    write(path.join(folder, "report.json"), `${json}\n`);
  }

  /** @returns A repository with its earlier result, if that is complete. */
  readMember(member: Member): Member | undefined {
    const folder = path.join(this.folder, member.output);
    try {
      const files = ["report.json", "report.html", "result.json"];
      const [json = ""] = files.map((file) => readFileSync(path.join(folder, file), "utf8"));
      const { graded, digest, tasks } = JSON.parse(json) as Record<"graded" | "digest", string> & {
        tasks: TaskReport[];
      };
      return { ...member, tasks, graded: new Date(graded), digest };
    } catch {
      return undefined;
    }
  }
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
