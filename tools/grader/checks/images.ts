import path from "node:path";
import type { Instruction, Stage } from "../../lib/dockerfile";
import { attempt } from "../../lib/run";
import { build } from "../build";
import { type Check, deviates, type Finding, failed, skipped } from "../point";
import { readStages, unreadable } from "../read";
import { readText } from "../repository";
import { askUntilAnswered, isReachableAt, lastLog, listenersOf, runToEnd, start } from "../sandbox";
import {
  baseOf,
  findConf,
  lineOfInstruction,
  locateInProgram,
  type Role,
  readDockerfile,
  repositoryOf,
  type Subject,
  shown,
} from "../subject";
import { listensIn } from "./conf";

type ImageCheck = Check<Subject>;

const commandsOf = (stages: readonly Stage[]): { command: string; line: number }[] =>
  stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword }) => keyword === "RUN")
    .map(({ args, line }: Instruction) => ({
      // Patterns over it may take quadratic time
      command: args.join(" ").slice(0, 10_000),
      line,
    }));

/** There is a Dockerfile, in the letters that Docker looks for. */
export function hasDockerfile(role: Role, id: string, where: string): ImageCheck {
  return {
    id,
    title: `${where} has a Dockerfile`,
    judge: (subject) => {
      const context = subject.contexts[role] ?? role;
      const folder = context === "." ? "" : context;
      const file = path.posix.join(folder, "Dockerfile");
      const kind = subject.folder.entries.get(file);
      const at = { file: shown(subject, file) };
      if (kind === "file") {
        const text = readText(subject.folder, file) ?? "";
        try {
          readStages(readText(subject.folder, file));
        } catch (error) {
          return unreadable(error, "Begin it with FROM.", at.file);
        }
        return text.includes("\r")
          ? deviates("it has Windows line ends", "Save it with LF line ends.", at)
          : undefined;
      }
      const other = [...subject.folder.entries.keys()].find(
        (name) =>
          path.posix.dirname(name) === (folder || ".") &&
          /^dockerfile(\.txt)?$/i.test(path.posix.basename(name)),
      );
      return other === undefined
        ? failed(`there is no ${file}`, "Create it there, under exactly this name.", at)
        : failed(`${other} is not called Dockerfile`, "Rename it: the letters count.", at);
    },
  };
}

/** The image is based on what the text says. */
export function isBasedOn(role: Role, id: string, wanted: string, needs: string): ImageCheck {
  return {
    id,
    title: `${role === "back-end" ? "the API's image" : `the ${role}'s image`} is based on the latest ${wanted}`,
    needs: [needs],
    judge: (subject) => {
      const { stages, file, text } = readDockerfile(subject, role) ?? {};
      if (stages === undefined || file === undefined || text === undefined) return undefined;
      const base = baseOf(stages);
      const isFrom = (line: string): boolean => /^\s*FROM\s/i.test(line) && line.includes(base);
      const line = text.split("\n").findIndex(isFrom) + 1;
      const at = { file: shown(subject, file), ...(line > 0 && { line }) };
      if (base === wanted || base === `${wanted}:latest`) return undefined;
      const hint = `Write FROM ${wanted}:latest.`;
      const isKin = repositoryOf(base).split("/").at(-1)?.startsWith(wanted);
      return isKin || role === "back-end"
        ? deviates(`it is based on ${base}`, hint, at)
        : failed(`it is based on ${base}`, hint, at);
    },
  };
}

const upgradeTitle = "apt-get update and apt-get upgrade -y run while it is built";

/** The packages are brought up to date (spec, task 0). */
export const isUpgraded = (id: string, needs: string): ImageCheck => ({
  id,
  title: upgradeTitle,
  needs: [needs],
  judge: judgeUpgrade,
});

function judgeUpgrade(subject: Subject): Finding | undefined {
  const { stages, file } = readDockerfile(subject, "back-end") ?? {};
  if (stages === undefined || file === undefined) return undefined;
  const commands = commandsOf(stages);
  const find = (pattern: RegExp) => commands.find(({ command }) => pattern.test(command));
  const at = { file: shown(subject, file) };
  const update = find(/\bapt(-get)?( -\S+)* update\b/);
  const upgrade = find(/\bapt(-get)?( -\S+)* (dist-|full-)?upgrade\b/);
  if (update === undefined)
    return failed("apt-get update is missing", "Add RUN apt-get update.", at);
  if (upgrade === undefined) {
    return failed("apt-get upgrade -y is missing", "Add RUN apt-get upgrade -y.", at);
  }
  const line = { ...at, line: upgrade.line };
  const own = upgrade.command.split(/&&|\|\||;/).find((part) => /\bupgrade\b/.test(part)) ?? "";
  if (!/(^|\s)(-\w*y\w*|--yes|--assume-yes)\b/.test(own)) {
    return failed("apt-get upgrade asks a question that nobody answers", "Add -y.", line);
  }
  return /\bapt-get\b/.test(own)
    ? undefined
    : deviates("it upgrades by apt", "The text has apt-get, which is made for scripts.", line);
}

/** The image can be built. */
export function builds(role: Role, id: string, needs: readonly string[]): ImageCheck {
  return {
    id,
    title: role === "back-end" ? "the API's image builds" : `the ${role}'s image builds`,
    needs,
    isLive: true,
    judge: async (subject) => {
      const { file } = readDockerfile(subject, role) ?? {};
      const context = subject.contexts[role];
      if (file === undefined || context === undefined) return undefined;
      const built = await build(
        subject.sandbox,
        `${subject.folder.task}-${role}`,
        path.join(subject.folder.path, context),
        "Dockerfile",
        shown(subject, file),
      );
      if ("verdict" in built) {
        const { verdict, line } = judgeUpgrade(subject) ?? {};
        const isAsking = verdict === "fail" && line !== undefined && line === built.line;
        return isAsking ? skipped(`needs: ${upgradeTitle}`) : built;
      }
      subject.images[role] = built.image;
      return undefined;
    },
  };
}

/** Running it prints the greeting and nothing else (spec, task 0). */
export const printsHello: ImageCheck = {
  id: "output",
  isLive: true,
  title: "running it prints exactly Hello, World!",
  needs: ["build"],
  judge: async (subject) => {
    const { ok, stdout, stderr } = await runToEnd(
      subject.sandbox,
      subject.images["back-end"] ?? "",
      30_000,
    );
    if (stdout === "Hello, World!" && ok) return undefined;
    const file = shown(subject, "Dockerfile");
    const line = lineOfInstruction(subject, "back-end", "CMD", "ENTRYPOINT");
    if (stdout.trim() === "Hello, World!") {
      return deviates("it prints more than the one line", "Print the one line alone.", {
        file,
        ...line,
      });
    }
    const printed = stdout === "" ? "nothing" : JSON.stringify(stdout.slice(0, 120));
    const said = stderr.trim() === "" ? "" : `; ${stderr.trim().slice(0, 160)}`;
    const hint = 'The text has CMD echo "Hello, World!": comma, capital letters and all.';
    return failed(`it prints ${printed}${said}`, hint, { file, ...line });
  },
};

/** `/app` is the working directory (spec, task 1). */
export const worksInApp: ImageCheck = {
  id: "workdir",
  isLive: true,
  title: "/app is the working directory",
  needs: ["build"],
  judge: async (subject) => {
    const image = subject.images["back-end"] ?? "";
    const { stdout } = await attempt("docker", [
      ...["image", "inspect", "--format={{.Config.WorkingDir}}", image],
    ]);
    if (stdout === "/app") return undefined;
    const file = shown(subject, subject.contexts["back-end"] ?? "", "Dockerfile");
    return deviates(`it is ${stdout || "/"}`, "Write WORKDIR /app.", {
      file,
      ...lineOfInstruction(subject, "back-end", "WORKDIR"),
    });
  },
};

/**
 * The server can be reached at its port. Where it cannot, the cause is looked for: a program that
 * ended, another port, an address that only the container itself can reach.
 */
export function answersAt(role: Role, id: string, port: number, needs: string): ImageCheck {
  const who = role === "back-end" ? "the API" : "the front-end";
  return {
    id,
    title: `${who} can be reached at port ${port}`,
    isLive: true,
    needs: [needs],
    judge: async (subject) => {
      const { sandbox } = subject;
      const image = subject.images[role] ?? "";
      const name = `${subject.folder.task}-${role}-container`;
      const listens = listensIn(subject, role);
      const listen = listens.find((one) => one.port === port) ?? listens[0];
      const inside = listen?.port ?? port;
      const running = await start(sandbox, name, image, inside);
      subject.running[role] = running;
      const path = role === "back-end" ? "/api/hello" : "/";
      let answer = await askUntilAnswered(sandbox, running, path, 3_000);
      if (answer.status !== undefined && listen !== undefined && inside !== port) {
        const { file, line } = listen;
        const hint = `The text recommends ${port}.`;
        return deviates(`it listens on port ${inside}`, hint, { file, line });
      }
      if (answer.status !== undefined) return undefined;
      // What listens elsewhere by now will not come to this port any more
      const listeners = await listenersOf(running.container, image);
      if (listeners.length === 0 || listeners.some(isReachableAt(inside))) {
        answer = await askUntilAnswered(sandbox, running, path);
      }
      return answer.status === undefined
        ? whyUnreachable(subject, role, running.container, port, answer.error)
        : undefined;
    },
  };
}

/** @returns What a container says of its end: the first error in its log, or its last lines. */
export async function errorIn(container: string): Promise<string> {
  const { stdout, stderr } = await attempt("docker", ["logs", "--tail=60", container], {
    ...{ timeoutMs: 10_000, maxOutputBytes: 4_000_000 },
  });
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.replace(/\p{Cc}/gu, ""));
  const error = lines.find((line) => /^(\w+\.)*\w*Error\b|\[emerg\]/.test(line));
  return error?.trim().slice(0, 240) ?? (await lastLog(container));
}

async function whyUnreachable(
  subject: Subject,
  role: Role,
  container: string,
  port: number,
  error: string | undefined,
): Promise<Finding> {
  const file = shown(subject, subject.contexts[role] ?? "");
  const helper = subject.images[role] ?? "";
  const listeners = await listenersOf(container, helper);
  if (listeners.length === 0) {
    const said = await errorIn(container);
    const inConf = /\[emerg\] [\d#: ]*(.*) in \/etc\/nginx\/conf\.d\/\S+:(\d+)$/.exec(said);
    const conf = role === "front-end" ? findConf(subject) : undefined;
    if (inConf !== null && conf !== undefined) {
      const at = { file: shown(subject, conf), line: Number(inConf[2]) };
      return failed(`nginx does not start: ${inConf[1]}`, "See nginx's documentation.", at);
    }
    const cause = `nothing listens in the container: ${said || "it printed nothing"}`;
    return failed(cause, "Run it by hand and read what it says.", { file });
  }
  if (listeners.some((listener) => listener.port === port && listener.isLoopback)) {
    const cause = `it listens on 127.0.0.1:${port}, which only the container itself can reach`;
    const where =
      role === "back-end" ? locateInProgram(subject, /127\.0\.0\.1|localhost/) : { file };
    return failed(cause, "Listen on 0.0.0.0.", where);
  }
  if (listeners.some(isReachableAt(port))) {
    const cause = `it listens on port ${port}, but does not respond: ${error ?? "no response"}`;
    return failed(cause, "Run it by hand and send it a request with curl.", { file });
  }
  const others = [...new Set(listeners.map((listener) => listener.port))];
  const where =
    role === "back-end" ? locateInProgram(subject, new RegExp(`\\b${others[0]}\\b`)) : { file };
  const cause = `it listens on port ${others.join(", ")}, not ${port}`;
  return failed(cause, `Listen on port ${port}.`, where);
}

/** `GET /api/hello` says what the text has (spec, task 1). */
export function saysHello(needs: string): ImageCheck {
  return {
    id: "hello",
    isLive: true,
    title: "GET /api/hello answers Hello, World!",
    needs: [needs],
    judge: async (subject) => {
      const running = subject.running["back-end"];
      if (running === undefined) return undefined;
      const { status, body } = await askUntilAnswered(subject.sandbox, running, "/api/hello");
      return judgeHello(status, body, locateInProgram(subject, /Hello|\/hello/i));
    },
  };
}

/** @returns The verdict on an answer of the API. */
export function judgeHello(
  status: number | undefined,
  body: string,
  where: { file: string; line?: number },
): Finding | undefined {
  if (status === 200 && body === "Hello, World!") return undefined;
  if (status === 200 && body.trim() === "Hello, World!") {
    return deviates("it answers with white space around it", "Answer with the text alone.", where);
  }
  if (status !== 200) {
    return failed(`it answers ${status ?? "nothing"}`, "The path is /api/hello.", where);
  }
  const said = JSON.stringify(body.slice(0, 120));
  return failed(`it answers ${said}`, "Answer exactly Hello, World!", where);
}

/** Ctrl-C ends it, as in the text's terminal: "Press CTRL+C to quit". */
export const endsOnInterrupt: ImageCheck = {
  id: "interrupt",
  isLive: true,
  title: "Ctrl-C ends it",
  needs: ["port"],
  judge: async (subject) => {
    const { container = "" } = subject.running["back-end"] ?? {};
    await attempt("docker", ["kill", "--signal=SIGINT", container]);
    const ended = await attempt("docker", ["wait", container], { timeoutMs: 5_000 });
    if (ended.ok) return undefined;
    await attempt("docker", ["rm", "--force", container]);
    const cause =
      "it goes on for more than 5 s: as the first process of its container it gets no signal that it does not handle, and a shell does not pass one on";
    const hint = 'Write CMD in exec form, CMD ["…"], and handle SIGINT and SIGTERM in the program.';
    return deviates(cause, hint, { file: shown(subject, subject.contexts["back-end"] ?? "") });
  },
};
