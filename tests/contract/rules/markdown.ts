import path from "node:path";

/** A fenced block of a Markdown file, as https://spec.commonmark.org/0.31.2/#fenced-code-blocks has it. */
export interface Fence {
  /** The word behind the fence, such as `sh`; empty without one. */
  language: string;
  text: string;
  /** Where it opens, counted from 1. */
  line: number;
  /** What the comment `<!-- test: … -->` on the line before says. */
  mark: string | undefined;
}

const markPattern = /^<!-- test: (.*) -->$/;

/** A Markdown text in two parts: its fenced blocks, and the lines that are none (empty where one was). */
export function fencesIn(markdown: string): { fences: Fence[]; prose: string[] } {
  const fences: Fence[] = [];
  const prose: string[] = [];
  let open: { fence: Fence; end: RegExp; lines: string[] } | undefined;
  let before = "";
  for (const [index, line] of markdown.split("\n").entries()) {
    const opening = /^\s*(`{3,}|~{3,})([\w-]*)/.exec(line);
    if (open !== undefined) {
      if (open.end.test(line)) {
        open.fence.text = open.lines.join("\n");
        open = undefined;
      } else open.lines.push(line);
      prose.push("");
    } else if (opening) {
      const [, ticks = "", language = ""] = opening;
      const mark = markPattern.exec(before)?.[1];
      const fence = { language, text: "", line: index + 1, mark };
      fences.push(fence);
      open = { fence, end: new RegExp(`^\\s*${ticks}+\\s*$`), lines: [] };
      prose.push("");
    } else prose.push(line);
    before = line;
  }
  return { fences, prose };
}

const codeSpan = /(`+)(?!`)(.*?[^`])\1(?!`)/gs;

/** @returns The texts between backticks in a Markdown text, without its fenced blocks. */
export function codeSpansIn(markdown: string): string[] {
  const prose = fencesIn(markdown).prose.join("\n");
  return Array.from(prose.matchAll(codeSpan), ([, , text = ""]) => text.trim());
}

/**
 * The anchor that GitHub gives to a heading: its text in small letters, without what is neither
 * letter, digit, hyphen nor underscore, and with a hyphen for each space; a number behind it when
 * there was one like it. https://docs.github.com/en/get-started/writing-on-github#section-links
 */
export function anchorsIn(markdown: string): string[] {
  const { prose } = fencesIn(markdown);
  const seen = new Map<string, number>();
  const ofHeadings = prose.flatMap((line) => {
    const title = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (title === undefined) return [];
    const slug = title
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return [count === 0 ? slug : `${slug}-${count}`];
  });
  const named = Array.from(
    prose.join("\n").matchAll(/<[^>]+\s(?:id|name)="([^"]+)"/g),
    ([, id = ""]) => id,
  );
  return [...ofHeadings, ...named];
}

interface Link {
  target: string;
  isImage: boolean;
  line: number;
}

function linksIn(markdown: string): Link[] {
  const { prose } = fencesIn(markdown);
  // Spans may hold what looks like a link, but may not be longer or shorter afterwards
  const text = prose.join("\n").replace(codeSpan, (span) => span.replace(/[^\n]/g, " "));
  const kinds: [pattern: RegExp, isImage: boolean][] = [
    [/(?<!!)\[(?:[^\][]|!?\[[^\]]*\](?:\([^)]*\))?)*\]\(<?([^)\s>]+)>?[^)]*\)/g, false],
    [/!\[[^\]]*\]\(<?([^)\s>]+)>?[^)]*\)/g, true],
    [/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm, false],
    [/<a\s[^>]*href="([^"]+)"/g, false],
    [/<(?:img|source)\s[^>]*src(?:set)?="([^"\s]+)/g, true],
  ];
  return kinds.flatMap(([pattern, isImage]) =>
    Array.from(text.matchAll(pattern), ({ index, 1: target = "" }) => ({
      target,
      isImage,
      line: text.slice(0, index).split("\n").length,
    })),
  );
}

/**
 * Follows the links of a Markdown file that stay in the repository.
 * @param file From the repository's root.
 * @param files Every file there; a folder that holds one of them exists, too.
 * @param read Gives a file's text.
 * @returns Those that lead nowhere.
 */
export function linkProblems(
  file: string,
  files: ReadonlySet<string>,
  read: (file: string) => string,
): string[] {
  return linksIn(read(file)).flatMap(({ target, isImage, line }) => {
    if (/^([a-z][a-z+.-]*:|\/\/)/i.test(target)) return [];
    const [way = "", anchor] = decodeURI(target).split("#");
    const found = way === "" ? file : path.posix.join(path.posix.dirname(file), way);
    const folder = `${found.replace(/\/$/, "")}/`;
    const problem = (what: string): string[] => [`${file}:${line}: ${target} ${what}`];
    if (!files.has(found)) {
      const isFolder = folder === "./" || [...files].some((one) => one.startsWith(folder));
      if (isFolder && !isImage && anchor === undefined) return [];
      return problem("does not exist");
    }
    if (anchor === undefined || !found.endsWith(".md")) return [];
    return anchorsIn(read(found)).includes(anchor) ? [] : problem("is no heading there");
  });
}

/** What there is to be run. */
export interface Commands {
  /** Of package.json, such as `faults`. */
  scripts: readonly string[];
  /** Of vitest.config.mts, such as `unit`. */
  projects: readonly string[];
  files: readonly string[];
}

const npmsOwn = ["ci", "install", "pack", "publish"];

/** @returns The commands of a Markdown text that name a script, a project or a test that is not there. */
export function commandProblems(
  markdown: string,
  { scripts, projects, files }: Commands,
): string[] {
  const { fences } = fencesIn(markdown);
  const lines = [...fences.flatMap(({ text }) => text.split("\n")), ...codeSpansIn(markdown)];
  return lines.flatMap((line) => {
    const said = line.replace(/\s+#.*$/, "").replace(/\s+/g, " ");
    const runs = Array.from(said.matchAll(/\bnpm (?:run )?(?!run\b)([\w:-]+)/g), ([, name = ""]) =>
      npmsOwn.includes(name) || scripts.includes(name) ? [] : [`npm run ${name}: no such script`],
    );
    const [, tests] = /\bnpx vitest run\b(.*)$/.exec(said) ?? [];
    return [...runs.flat(), ...(tests === undefined ? [] : vitestProblems(tests, projects, files))];
  });
}

function vitestProblems(
  args: string,
  projects: readonly string[],
  files: readonly string[],
): string[] {
  const withoutTitle = args.replace(/ (-t|--testNamePattern)[ =]("[^"]*"|'[^']*'|\S+)/g, "");
  const words = withoutTitle.replaceAll(/--project[ =]/g, "--project=").split(" ");
  return words.filter(Boolean).flatMap((word) => {
    const [, project] = /^--project=(.*)$/.exec(word) ?? [];
    if (project !== undefined) {
      return projects.includes(project) ? [] : [`--project ${project}: no such project`];
    }
    if (word.startsWith("-")) return [];
    const isThere = files.some((file) => file.endsWith(".test.ts") && file.includes(word));
    return isThere ? [] : [`npx vitest run ${word}: no such test`];
  });
}

/** A block that the tests run, and what it must print. */
export interface Runnable {
  script: string;
  line: number;
  /** Its stdout; a line `…` stands for any number of lines. */
  output: string | undefined;
}

export const marks = {
  /** Run from the repository's root, in CI, too. */
  run: "run",
  /** Likewise; it needs a Docker engine. */
  runOnEngine: "run on an engine",
  /** What the block before it prints. */
  output: "output",
};

/** @returns The blocks of a Markdown text that bear the mark, in order. */
export function runnablesIn(markdown: string, mark: string): Runnable[] {
  const { fences } = fencesIn(markdown);
  return fences.flatMap((fence, index) => {
    if (fence.mark !== mark) return [];
    const next = fences[index + 1];
    const output = next?.mark === marks.output ? next.text : undefined;
    return [{ script: fence.text, line: fence.line, output }];
  });
}

/** @returns The marks of a Markdown text that would have no effect. */
export function markProblems(markdown: string): string[] {
  const { fences, prose } = fencesIn(markdown);
  const known = Object.values(marks);
  const problems = prose.flatMap((line, index) => {
    if (!/^\s*<!--\s*test/i.test(line)) return [];
    const at = `line ${index + 1}: `;
    const mark = markPattern.exec(line)?.[1] ?? "";
    if (!known.includes(mark)) return [`${at}no such mark: ${line}`];
    const opensNext = fences.some((fence) => fence.line === index + 2);
    return opensNext ? [] : [`${at}no block follows`];
  });
  const misplaced = fences.flatMap(({ mark, language, line }, index) => {
    const runs = [marks.run, marks.runOnEngine];
    if (mark === undefined) return [];
    if (mark !== marks.output) return language === "sh" ? [] : [`line ${line}: not marked as sh`];
    const before = fences[index - 1]?.mark ?? "";
    return runs.includes(before) ? [] : [`line ${line}: the output of nothing`];
  });
  return [...problems, ...misplaced];
}

/** @returns Whether a program's stdout is what a block shows. */
export function isShownAs(stdout: string, output: string): boolean {
  const escaped = output.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = escaped.replace(/^ *…\n/gm, "(?:.*\n)*").replace(/\n *…$/, "(?:\n.*)*");
  return new RegExp(`^${pattern}$`).test(stdout.trim());
}

/** Where a cell begins with one: a number with a unit, or one that needs commas. */
const figure = /^\s*(\d[\d.,]* (ms|s|µs|MB|%)(\s|$)|\d{1,3}(,\d{3})+)/;
const measuringCommand =
  /^(\w+=\S+ )?(npm run (bench|faults|cluster)|npx (vitest run|autocannon))\b/;

/** @returns The paths from the repository's root, between backticks, at which there is nothing. */
export function pathProblems(markdown: string, files: readonly string[]): string[] {
  const own = /^(tests|tools|docs|task\d|visitor-counter|\.ci|\.github)\/[\w./-]*$/;
  return codeSpansIn(markdown)
    .filter((span) => own.test(span))
    .filter((span) => {
      const folder = `${span.replace(/\/$/, "")}/`;
      return !files.includes(span) && !files.some((file) => file.startsWith(folder));
    })
    .map((span) => `${span} does not exist`);
}

/**
 * A figure is measured, and whoever reads it can measure it again: a section with a table of figures
 * names the command. Where they are worked out, the beginning of the document names the test.
 * @returns The headings of sections that do not.
 */
export function uncitedFigures(markdown: string): string[] {
  const { prose } = fencesIn(markdown);
  const sections: { heading: string; lines: string[] }[] = [];
  // By the second level: a subsection may have its command above
  for (const [index, line] of markdown.split("\n").entries()) {
    const isHeading = /^##? /.test(line) && prose[index] === line;
    if (isHeading || sections.length === 0) sections.push({ heading: line, lines: [] });
    sections.at(-1)?.lines.push(line);
  }
  const beginning = codeSpansIn(sections[0]?.lines.join("\n") ?? "");
  if (beginning.some((span) => /^tests\/\S+\.test\.ts$/.test(span))) return [];
  return sections.flatMap(({ heading, lines }) => {
    const text = lines.join("\n");
    const cells = fencesIn(text)
      .prose.filter((line) => line.startsWith("|"))
      .flatMap((line) => line.split("|"));
    if (!cells.some((cell) => figure.test(cell))) return [];
    const said = [
      ...codeSpansIn(text),
      ...fencesIn(text).fences.flatMap((fence) => fence.text.split("\n")),
    ];
    const isCited = said.some((one) => measuringCommand.test(one.replace(/\s+/g, " ")));
    return isCited ? [] : [heading];
  });
}
