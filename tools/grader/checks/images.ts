import path from "node:path";
import { argv } from "../../lib/argv";
import { baseOf, repositoryOf } from "../../lib/dockerfile";
import { build } from "../build";
import { type Ids, perSubject, reads, runs } from "../check";
import { blockedBy, deviate, fail, raise, settle } from "../point";
import { runToEnd } from "../sandbox";
import type { Role, Subject } from "../subject";
import type { PointId } from "../titles";
import { ask } from "../trouble";

export const hasDockerfile = (id: PointId, role: Role) =>
  reads(id, [], (subject) => {
    const { file, text } = subject.dockerfile(role);
    const name = path.posix.basename(file);
    if (name !== "Dockerfile") {
      deviate(`it is called ${name}`, "The text has Dockerfile.", subject.at(file));
    }
    if (text.includes("\r")) {
      deviate("it has Windows line endings", "Save it with LF.", subject.at(file));
    }
  });

export const isBasedOn = (wanted: string, id: PointId, role: Role, needs: Ids) =>
  reads(id, needs, (subject) => {
    const { file, text, stages } = subject.dockerfile(role);
    const base = baseOf(stages);
    if (base === wanted || base === `${wanted}:latest`) return;
    const isFrom = (line: string): boolean => /^\s*FROM\s/i.test(line) && line.includes(base);
    const line = text.split("\n").findIndex(isFrom) + 1;
    const isVariant = repositoryOf(base).split("/").at(-1)?.startsWith(wanted);
    const judge = isVariant || role === "back-end" ? deviate : fail;
    judge(
      `it is based on ${base}`,
      `Write FROM ${wanted}:latest.`,
      subject.at(file, line || undefined),
    );
  });

export const isUpgraded = reads("upgrade", ["dockerfile"], judgeUpgrade);

function judgeUpgrade(subject: Subject): void {
  const { file, stages } = subject.dockerfile("back-end");
  const commands = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword }) => keyword === "RUN")
    // Patterns over it may take quadratic time
    .map(({ args, line }) => ({ command: args.join(" ").slice(0, 10_000), line }));
  const find = (pattern: RegExp) => commands.find(({ command }) => pattern.test(command));
  const update = find(/\bapt(-get)?( -\S+)* update\b/);
  const upgrade = find(/\bapt(-get)?( -\S+)* (dist-|full-)?upgrade\b/);
  if (update === undefined || upgrade === undefined) {
    const missing = update === undefined ? "apt-get update" : "apt-get upgrade -y";
    fail(`${missing} is missing`, `Add RUN ${missing}.`, subject.at(file));
  }
  const place = subject.at(file, upgrade.line);
  const parts = upgrade.command.split(/&&|\|\||;/);
  const command = parts.find((part) => /\bupgrade\b/.test(part)) ?? "";
  if (!/(^|\s)(-\w*y\w*|--yes|--assume-yes)\b/.test(command)) {
    fail("apt-get upgrade asks for confirmation, which a build cannot give", "Add -y.", place);
  }
  if (!/\bapt-get\b/.test(command)) {
    deviate("it upgrades with apt", "Use apt-get, which is made for scripts.", place);
  }
}

/** The name of a role's image, built. */
export const imageOf = perSubject(async (subject, role: Role): Promise<string> => {
  const { folder, contexts, sandbox } = subject;
  const file = subject.pathOf(subject.dockerfile(role).file);
  const context = path.join(folder.path, contexts[role]);
  const built = await build(sandbox, `${folder.task}-${role}`, { context }, file);
  if ("image" in built) return built.image;
  const { finding: upgrade } = settle(() => judgeUpgrade(subject));
  const isUpgrade = upgrade?.verdict === "fail" && upgrade.line && upgrade.line === built.line;
  raise(isUpgrade ? blockedBy("upgrade") : built);
});

export const builds = (id: PointId, role: Role, needs: Ids) =>
  runs(id, needs, async (subject) => {
    await imageOf(subject, role);
  });

export const printsHello = runs("output", ["build"], async (subject) => {
  const image = await imageOf(subject, "back-end");
  const { ok, stdout, stderr } = await runToEnd(subject.sandbox, image, 30_000);
  if (stdout === "Hello, World!" && ok) return;
  const place = subject.atInstruction("CMD", "ENTRYPOINT");
  if (stdout.trim() === "Hello, World!") {
    deviate("it prints more than the one line", "Print only that line.", place);
  }
  const printed = stdout === "" ? "nothing" : JSON.stringify(stdout.slice(0, 120));
  const error = stderr.trim() === "" ? "" : `; ${stderr.trim().slice(0, 160)}`;
  const hint = 'The text has CMD echo "Hello, World!": comma, capital letters and all.';
  fail(`it prints ${printed}${error}`, hint, place);
});

export const worksInApp = runs("workdir", ["build"], async (subject) => {
  const image = await imageOf(subject, "back-end");
  const format = "--format={{.Config.WorkingDir}}";
  const stdout = await ask(argv`image inspect ${format} ${image}`);
  if (stdout === "/app") return;
  deviate(`it is ${stdout || "/"}`, "Write WORKDIR /app.", subject.atInstruction("WORKDIR"));
});
