import { parseDockerfile } from "../../../tools/lib/dockerfile";

/** The part of .github/dependabot.yml that the rules look at. https://docs.github.com/en/code-security/reference/supply-chain-security/dependabot-options-reference */
export interface Dependabot {
  updates: {
    "package-ecosystem": string;
    directory?: string;
    directories?: string[];
    groups?: Record<string, { patterns?: string[] }>;
  }[];
}

/** @returns The base images of a Dockerfile that come from a registry: neither stages, variables nor the project's own. */
export function outsideImages(dockerfile: string): string[] {
  const stages = parseDockerfile(dockerfile);
  const names = stages.map(({ name }) => name);
  return stages
    .map(({ base }) => base)
    .filter((image) => !names.includes(image) && !/^(\$|scratch$|softy-pinko-)/.test(image));
}

/**
 * Dependabot looks only where it is told to, and copies that must stay equal have to move together.
 * @param folders Those to look into, by ecosystem, as `/task1`.
 */
export function dependabotProblems(
  { updates }: Dependabot,
  folders: Record<string, readonly string[]>,
): string[] {
  return Object.entries(folders).flatMap(([ecosystem, wanted]) => {
    const entries = updates.filter((entry) => entry["package-ecosystem"] === ecosystem);
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      return [`${ecosystem} has ${entries.length} entries, not one`];
    }
    const covered = entry.directories ?? [entry.directory ?? ""];
    const patterns = Object.values(entry.groups ?? {}).map((group) => group.patterns?.join());
    return [
      ...wanted.filter((one) => !covered.includes(one)).map((one) => `${ecosystem} lacks ${one}`),
      ...covered
        .filter((one) => !wanted.includes(one))
        .map((one) => `${ecosystem} has nothing in ${one}`),
      ...(wanted.length > 1 && patterns.join() !== "*"
        ? [`${ecosystem} has no one group for all`]
        : []),
    ];
  });
}

/** The part of a workflow that the rules look at. https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax */
export interface Workflow {
  permissions?: Record<string, string>;
  concurrency?: { "cancel-in-progress"?: boolean };
  jobs: Record<
    string,
    { "timeout-minutes"?: number; steps: { uses?: string; run?: string }[]; permissions?: object }
  >;
}

/**
 * CI runs what everybody can run, with no rights beyond reading, within its time, and with actions
 * that nobody can change afterwards. https://docs.github.com/en/actions/reference/security/secure-use
 */
export function workflowProblems({ permissions, concurrency, jobs }: Workflow): string[] {
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const actions = steps.flatMap(({ uses }) => uses ?? []);
  return [
    ...(steps.some(({ run }) => run === ".ci/run") ? [] : [".ci/run is not called"]),
    ...(JSON.stringify(permissions) === '{"contents":"read"}' &&
    Object.values(jobs).every((job) => job.permissions === undefined)
      ? []
      : ["it may do more than read"]),
    ...(Object.values(jobs).every((job) => job["timeout-minutes"] !== undefined)
      ? []
      : ["a job has no end"]),
    ...(concurrency?.["cancel-in-progress"] ? [] : ["an older run goes on beside a newer one"]),
    ...actions
      .filter((action) => !/@[0-9a-f]{40}$/.test(action))
      .map((action) => `${action} is not pinned`),
  ];
}
