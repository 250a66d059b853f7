import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { steps } from "../../tools/lib/course";
import { parseNginxConf } from "../../tools/lib/nginx-conf";
import { listRepositoryFiles, readRepositoryFile } from "../lib/task-files";
import {
  directiveNames,
  keysOf,
  misquoted,
  sectionOf,
  uncoveredFigures,
  unexplained,
} from "./rules/architecture";
import { fencesIn } from "./rules/markdown";

const document = readRepositoryFile("docs/architecture.md");

const confs = ["proxy/proxy.conf", "proxy/hardening.conf", "front-end/softy-pinko-front-end.conf"];
const explained = [...confs, "docker-compose.yml"];
const quoted = [...explained, "back-end/api.ts"];

const sectionFor = (file: string): string => sectionOf(document, `## \`${file}\``);

function namesIn(file: string, text: string): string[] {
  return file.endsWith(".yml")
    ? keysOf(parse(text, { merge: true }))
    : directiveNames(parseNginxConf(text));
}

describe("docs/architecture.md", () => {
  it("draws every tool and every stack", async () => {
    const drawing = fencesIn(sectionOf(document, "## The house")).fences[0]?.text;
    const files = await listRepositoryFiles();
    const tools = files.flatMap((file) => /^tools\/([\w-]+)\//.exec(file)?.[1] ?? []);
    const drawn = Array.from(drawing?.matchAll(/\["([\w-]+)/g) ?? [], ([, name]) => name);
    const all = [...new Set([...tools, ...steps.map(({ name }) => name)])];
    expect(all).toEqual(expect.arrayContaining(["engine", "task6"]));
    expect(all.filter((name) => !drawn.includes(name))).toEqual([]);
  });

  it.each(explained)("says of everything in task6/%s why it is there", (file) => {
    const names = namesIn(file, readRepositoryFile("task6", file));
    expect(names.length).toBeGreaterThan(10);
    expect(unexplained(sectionFor(file), names)).toEqual([]);
  });

  it("repeats figures as they were measured last", () => {
    const sources = ["docs/faults.md", "docs/benchmark.md", "task6/proxy/hardening.conf"];
    const texts = sources.map((file) => readRepositoryFile(file));
    expect(uncoveredFigures(document, texts)).toEqual([]);
  });

  it("says what task6/docker-stack.yml has beyond docker-compose.yml", () => {
    const section = sectionOf(document, "## More than one machine");
    const [stack, compose] = ["docker-stack.yml", "docker-compose.yml"].map((file) =>
      readRepositoryFile("task6", file),
    ) as [string, string];
    const known = keysOf(parse(compose, { merge: true }));
    const names = keysOf(parse(stack, { merge: true })).filter((name) => !known.includes(name));
    expect(names).toContain("deploy");
    expect(unexplained(section, names)).toEqual([]);
    expect(misquoted(section, stack)).toEqual([]);
  });

  it.each(quoted)("quotes task6/%s as it is", (file) => {
    expect(misquoted(sectionFor(file), readRepositoryFile("task6", file))).toEqual([]);
  });
});

describe("the explanation of a file fails", () => {
  const conf =
    'map $a $b {\n  x 1;\n}\nserver {\n  listen 80;\n  if ($a ~ "b|c") {\n    return 405;\n  }\n}\n';
  const good = `# A

## \`b\`

| setting | why |
| ------- | --- |
| \`map $a $b\`, \`server {\`, \`listen 80\` | not \`quoted\` |

### Deeper

| \`if ($a ~ "b\\|c")\` | \`return 405\` |

## C

\`elsewhere\`
`;
  const section = sectionOf(good, "## `b`");

  it("in nothing when all is said", () => {
    expect(directiveNames(parseNginxConf(conf))).toEqual([
      "map",
      "server",
      "listen",
      "if",
      "return",
    ]);
    expect(unexplained(section, directiveNames(parseNginxConf(conf)))).toEqual([]);
    expect(misquoted(section, conf)).toEqual([]);
  });

  it("without a directive, or with one that only begins alike", () => {
    expect(unexplained(section, ["list", "listen", "elsewhere"])).toEqual(["list", "elsewhere"]);
  });

  it("without a key, however deep", () => {
    const keys = keysOf({ a: [{ b: null }, { c: { d: 1 } }], b: 2 });
    expect(keys).toEqual(["a", "b", "c", "d"]);
    expect(unexplained("`a:` and `c: 1`", keys)).toEqual(["b", "d"]);
    expect(unexplained("`mem_limit_more`, `mem-limit`", ["mem_limit", "mem"])).toEqual([
      "mem_limit",
      "mem",
    ]);
  });

  it("with a value that the file does not have", () => {
    expect(misquoted(section, conf.replace("80", "81"))).toEqual(["listen 80"]);
  });

  it("with a figure that nobody measured", () => {
    const text = "| `wait 7 ms` | 1,234 of 12,345, 5.5 ms, 20 MB | 404 |\n\nNot here: 9 ms\n";
    expect(uncoveredFigures(text, ["11,234 5.5\nms", "1,234", "20 MB"])).toEqual(["12,345"]);
  });

  it("without its section", () => {
    expect(() => sectionOf(good, "## `c`")).toThrow("there is no section ## `c`");
  });
});
