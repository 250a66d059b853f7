import { parseStatement } from "../lib/dockerfile";
import { readStatements, type Statement, splitStatement } from "../lib/dockerfile-statements";
import { neutralize } from "./dockerfile-syntax";
import type { Finding } from "./point";

/** Values of build arguments, as in a compose file. */
type BuildArgs = Readonly<Record<string, string | null>>;

/** Public registries. */
const registries = `docker.io registry-1.docker.io index.docker.io ghcr.io quay.io public.ecr.aws
  mcr.microsoft.com gcr.io registry.k8s.io`.split(/\s+/);

/** A statement, or the one within an ONBUILD. */
type Step = Statement & { isTrigger: boolean };

/** An image that a build takes from a registry or from the engine. */
interface ExternalImage {
  /** Undefined if only BuildKit can resolve it. */
  image: string | undefined;
  /** As it is written. */
  word: string;
  /** Counted from 1. */
  line: number;
}

type Refusal = Pick<Finding, "cause" | "hint" | "line">;

/**
 * Finds, before a build, what BuildKit itself would do outside the build's own containers.
 * @param args The values of the build's arguments.
 * @returns What is not allowed, and where.
 */
export function gate(dockerfile: string, args: BuildArgs = {}): Refusal | undefined {
  const steps = readStatements(neutralize(dockerfile)).map(toStep);
  for (const step of steps) {
    const refusal = refuseAmbiguous(step) ?? refuseAdd(step) ?? refusePrivilege(step);
    if (refusal !== undefined) return { ...refusal, line: step.line };
  }
  const hint = "Name an image of Docker Hub.";
  for (const { image, word, line } of imagesOf(steps, args)) {
    if (image === undefined) return { cause: `the image ${word} cannot be determined`, hint, line };
    if (!isPublic(image)) return { cause: `${image} is not in a public registry`, hint, line };
  }
  return undefined;
}

function toStep(statement: Statement): Step {
  if (statement.keyword !== "ONBUILD") return { ...statement, isTrigger: false };
  const inner = splitStatement(statement.rest, statement.line);
  const nested = inner.keyword === "ONBUILD" ? "ONBUILD ONBUILD" : undefined;
  return { ...inner, unclear: statement.unclear ?? inner.unclear ?? nested, isTrigger: true };
}

/** Flags whose value could be the next word. */
const guarded = /^--(from|mount|network|security|device)$/;

function refuseAmbiguous({ unclear, flags }: Step): Refusal | undefined {
  const ambiguous = unclear ?? flags.find((flag) => guarded.test(flag));
  if (ambiguous === undefined) return undefined;
  const cause = `it has ${ambiguous.slice(0, 100)}, which can be read in more than one way`;
  return { cause, hint: "Write it in a simpler way." };
}

function refuseAdd(step: Step): Refusal | undefined {
  if (step.keyword !== "ADD") return undefined;
  for (const source of parseStatement(step).args.slice(0, -1)) {
    const plain = source.replace(/["'\\`]/g, "").slice(0, 200);
    if (source.includes("$")) {
      const cause = `what ADD ${plain} adds cannot be determined`;
      return { cause, hint: "Write the file's name, without a variable." };
    }
    if (source.includes(":") || plain.startsWith("github.com/")) {
      const cause = `it downloads ${plain} with ADD; the course needs no ADD from the network`;
      return { cause, hint: "COPY a file of the folder, or download it with RUN curl." };
    }
  }
  return undefined;
}

function refusePrivilege(step: Step): Refusal | undefined {
  for (const [name, value] of flagsOf(step)) {
    if (name === "network" && !/^(default|none)$/.test(value)) {
      return { cause: "it runs a command in the host's network", hint: "Remove that." };
    }
    if (name === "security" || name === "device") {
      return { cause: `it runs a command with --${name}`, hint: "Remove that." };
    }
  }
  return undefined;
}

const flagsOf = ({ flags }: Statement): [string, string][] =>
  flags.map((flag) => {
    const [name = "", ...value] = flag.slice(2).split("=");
    return [name, value.join("=")];
  });

/**
 * Whether an image is in a public registry, by its name.
 * https://github.com/distribution/reference/blob/main/normalize.go
 */
export function isPublic(image: string): boolean {
  const [host = "", ...path] = image.split("/");
  const isHost = /[.:]/.test(host) || host === "localhost" || host !== host.toLowerCase();
  return path.length === 0 || !isHost || registries.includes(host);
}

/** @returns The images of FROM, COPY --from and RUN --mount that are not stages. */
function imagesOf(steps: readonly Step[], args: BuildArgs): ExternalImage[] {
  const defaults: Variables = new Map();
  const images: ExternalImage[] = [];
  const stages = new Set<string>();
  for (const { keyword, rest, line } of steps) {
    const words = rest.split(/[\t\v\f\r ]+/);
    if (keyword === "ARG" && stages.size === 0) {
      for (const word of words) define(word, defaults, args);
    }
    if (keyword !== "FROM") continue;
    // An unnamed stage has only a number, which FROM does not accept
    const [word = "", , stage = `FROM ${line}`] = words;
    const image = resolve(word, defaults);
    if (!stages.has(image?.toLowerCase() ?? "") && image !== "scratch") {
      images.push({ image, word, line });
    }
    stages.add(stage.toLowerCase());
  }
  for (const step of steps) {
    for (const word of sourcesOf(step)) {
      // A trigger runs in another Dockerfile, with other stages
      if (!step.isTrigger && stages.has(word.toLowerCase())) continue;
      const image = /[^!-~]|[$"'\\`]/.test(word) ? undefined : word;
      images.push({ image, word, line: step.line });
    }
  }
  return images;
}

/** @returns What a COPY or RUN takes files from, except stages by number. */
function sourcesOf(step: Step): string[] {
  const sources = flagsOf(step).flatMap(([name, value]) => {
    if (name === "from") return /^[+-]?\d+$/.test(value) ? [] : [value];
    if (name !== "mount") return [];
    return value.split(",").flatMap((option) => /^from=(.*)$/i.exec(option)?.[1] ?? []);
  });
  return sources.filter((source) => source !== "" && source !== "scratch");
}

/** Values of variables by name; undefined if the value cannot be determined. */
type Variables = Map<string, string | undefined>;

/** A key that means: a definition was unreadable, so no variable can be resolved. */
const all = "";

/** Adds an ARG, as `name=default` or `name`. */
function define(word: string, variables: Variables, args: BuildArgs): void {
  const [, name = all, quote, value] =
    /^([A-Za-z_]\w*)(?:=(["']?)([^"'\\`]*)\2)?$/.exec(word) ?? [];
  const given = args[name];
  if (name === all) variables.set(all, undefined);
  else if (typeof given === "string") variables.set(name, given);
  else if (value !== undefined)
    variables.set(name, quote === "'" ? value : resolve(value, variables));
}

const variable = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::-([^{}$"'\\`]*))?\})/g;

/** @returns A word with its variables replaced; undefined if BuildKit might read it differently. */
function resolve(word: string, variables: Variables): string | undefined {
  const literal = word.replace(variable, "");
  if (/[^!-~]|[$"'\\`]/.test(literal) || (literal !== word && variables.has(all))) return undefined;
  let isResolved = true;
  const resolved = word.replace(variable, (_, bare?: string, braced?: string, fallback = "") => {
    const name = bare ?? braced ?? "";
    const value = variables.has(name) ? variables.get(name) : "";
    // BuildKit sets arguments of these names itself, one of them to the name of a stage
    if (value === undefined || /^(TARGET|BUILD)/.test(name)) isResolved = false;
    const text = value || fallback;
    if (text === "") isResolved = false;
    return text;
  });
  return isResolved ? resolved : undefined;
}
