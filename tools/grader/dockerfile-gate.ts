import { parseStatement } from "../lib/dockerfile";
import { readStatements, type Statement, splitStatement } from "../lib/dockerfile-statements";
import { neutralize } from "./dockerfile-syntax";
import type { Finding } from "./point";

/** An image that a build takes from a registry or from the engine. */
export interface ExternalImage {
  image: string;
  /** Counted from 1. */
  line: number;
  /** Whether the name depends on what only BuildKit knows. */
  isUnreadable: boolean;
}

/** Values of a build's arguments, as in a compose file. */
type BuildArgs = Readonly<Record<string, string | null>>;

/** Where everybody may take images from. */
const registries = [
  "docker.io",
  "registry-1.docker.io",
  "index.docker.io",
  "ghcr.io",
  "quay.io",
  "public.ecr.aws",
  "mcr.microsoft.com",
  "gcr.io",
  "registry.k8s.io",
];

/** A statement, or the one within an ONBUILD. */
type Step = Statement & { isTrigger: boolean };

function readSteps(dockerfile: string): Step[] {
  return readStatements(neutralize(dockerfile)).map((statement) => {
    const { keyword, rest, line, unclear } = statement;
    if (keyword !== "ONBUILD") return { ...statement, isTrigger: false };
    const inner = splitStatement(rest, line);
    const isNested = inner.keyword === "ONBUILD";
    const doubt = unclear ?? inner.unclear ?? (isNested ? "ONBUILD ONBUILD" : undefined);
    return { ...inner, unclear: doubt, isTrigger: true };
  });
}

/**
 * Looks, before a build, for what BuildKit would do with other means than the build's own container.
 * @param args The values that the build gets for ARG.
 * @returns What is not allowed, and where; nothing if all is well.
 */
export function gate(
  dockerfile: string,
  args: BuildArgs = {},
): Pick<Finding, "cause" | "hint" | "line"> | undefined {
  const steps = readSteps(dockerfile);
  for (const step of steps) {
    const problem = problemWith(step);
    if (problem !== undefined) return { ...problem, line: step.line };
  }
  for (const { image, line, isUnreadable } of imagesOf(steps, args)) {
    const hint = "Name an image of Docker Hub.";
    if (isUnreadable) return { cause: `which image ${image} is cannot be told`, hint, line };
    if (!isPublic(image)) return { cause: `${image} is in no public registry`, hint, line };
  }
  return undefined;
}

/** A flag whose value might be the next word. */
const guarded = /^--(from|mount|network|security|device)$/;

function problemWith(step: Step): { cause: string; hint: string } | undefined {
  const unclear = step.unclear ?? step.flags.find((flag) => guarded.test(flag));
  if (unclear !== undefined) {
    const cause = `it has ${unclear.slice(0, 100)}, which can be read in more than one way`;
    return { cause, hint: "Write it in a simpler way." };
  }
  if (step.keyword === "ADD") return problemWithAdd(step);
  const flags = flagsOf(step);
  const isHost = flags.some(
    ([name, value]) => name === "network" && !/^(default|none)$/.test(value),
  );
  if (isHost) return { cause: "it runs a command in the host's network", hint: "Take that out." };
  const [privileged] = flags.find(([name]) => name === "security" || name === "device") ?? [];
  if (privileged === undefined) return undefined;
  return { cause: `it runs a command with --${privileged}`, hint: "Take that out." };
}

function problemWithAdd(step: Step): { cause: string; hint: string } | undefined {
  for (const source of parseStatement(step).args.slice(0, -1)) {
    const plain = source.replace(/["'\\`]/g, "").slice(0, 200);
    if (/\$/.test(source)) {
      const cause = `what ADD ${plain} adds cannot be told`;
      return { cause, hint: "Write the file's name, without a variable." };
    }
    if (/:/.test(source) || plain.startsWith("github.com/")) {
      const cause = `it downloads ${plain} with ADD; the course needs no ADD from the network`;
      return { cause, hint: "COPY a file of the folder, or download it with RUN curl." };
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
 * Says whether everybody may take an image: it names no registry, or a public one.
 * https://github.com/distribution/reference/blob/main/normalize.go
 */
export function isPublic(image: string): boolean {
  const [host = "", ...path] = image.split("/");
  const isHost = /[.:]/.test(host) || host === "localhost" || host !== host.toLowerCase();
  return path.length === 0 || !isHost || registries.includes(host);
}

/**
 * Finds the images that a build takes from elsewhere: those of FROM, COPY --from and RUN --mount that
 * are no stages of the same Dockerfile.
 * @param args The values that the build gets for ARG.
 */
export const externalImages = (dockerfile: string, args: BuildArgs = {}): ExternalImage[] =>
  imagesOf(readSteps(dockerfile), args);

function imagesOf(steps: readonly Step[], args: BuildArgs): ExternalImage[] {
  const defaults: Known = new Map();
  const bases: ExternalImage[] = [];
  const stages = new Set<string>();
  for (const { keyword, rest, line } of steps) {
    const words = rest.split(/[\t\v\f\r ]+/);
    if (keyword === "ARG" && stages.size === 0)
      for (const word of words) define(word, defaults, args);
    if (keyword !== "FROM") continue;
    const base = resolve(words[0] ?? "", defaults);
    if (!stages.has(base?.toLowerCase() ?? "") && base !== "scratch") {
      bases.push({ image: base ?? words[0] ?? "", line, isUnreadable: base === undefined });
    }
    // An unnamed stage has its number, which FROM does not know
    stages.add(words[2]?.toLowerCase() ?? `FROM ${line}`);
  }
  const copied = steps.flatMap((step) =>
    sourcesOf(step)
      // The stages of a trigger are those of another Dockerfile
      .filter((image) => step.isTrigger || !stages.has(image.toLowerCase()))
      .map((image) => ({ image, line: step.line, isUnreadable: /[^!-~]|[$"'\\`]/.test(image) })),
  );
  return [...bases, ...copied];
}

/** @returns What a COPY or RUN takes files from, but for the stages that it names by number. */
function sourcesOf(step: Step): string[] {
  const sources = flagsOf(step).flatMap(([name, value]) => {
    if (name === "from") return /^[+-]?\d+$/.test(value) ? [] : [value];
    if (name !== "mount") return [];
    return value.split(",").flatMap((option) => /^from=(.*)$/i.exec(option)?.[1] ?? []);
  });
  return sources.filter((source) => source !== "" && source !== "scratch");
}

/** Arguments by name; undefined is a value that cannot be told. */
type Known = Map<string, string | undefined>;

/** Stands for all arguments, once one of them could not be read. */
const all = "";

/** Takes in an argument, as `name=default` or alone. */
function define(word: string, known: Known, args: BuildArgs): void {
  const [, name = all, quote, value] =
    /^([A-Za-z_]\w*)(?:=(["']?)([^"'\\`]*)\2)?$/.exec(word) ?? [];
  const given = args[name];
  if (name === all) known.set(all, undefined);
  else if (typeof given === "string") known.set(name, given);
  else if (value !== undefined) known.set(name, quote === "'" ? value : resolve(value, known));
}

const variable = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::-([^{}$"'\\`]*))?\})/g;

/** @returns A word with its variables replaced; undefined if BuildKit might read it differently. */
function resolve(word: string, known: Known): string | undefined {
  const literal = word.replace(variable, "");
  if (/[^!-~]|[$"'\\`]/.test(literal) || (literal !== word && known.has(all))) return undefined;
  let isResolved = true;
  const resolved = word.replace(variable, (_, bare?: string, braced?: string, fallback = "") => {
    const name = bare ?? braced ?? "";
    const value = known.has(name) ? known.get(name) : "";
    // BuildKit sets arguments of these names itself, one of them to the name of a stage
    if (value === undefined || /^(TARGET|BUILD)/.test(name)) isResolved = false;
    const chosen = value || fallback;
    if (chosen === "") isResolved = false;
    return chosen;
  });
  return isResolved ? resolved : undefined;
}
