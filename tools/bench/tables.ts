import {
  bytes,
  comparedSamples,
  contender,
  cores,
  type Figure,
  megabytes,
  middle,
  millis,
  none,
  plural,
  range,
  ratio,
  seconds,
  shortNames,
  times,
  whole,
} from "./figures";
import type { BenchReport, ImageSize, PageReport, PageWeight, Usage } from "./report";
import { compareTable, connectionsTable, latencyTable, serversTable } from "./speed-tables";
import { type Cell, cell, sum, type Table } from "./table";
import { growthOf } from "./targets";

/** @returns All tables of a report, the most important ones first; none that would be empty. */
export function tablesOf(report: BenchReport): Table[] {
  return [
    compareTable(report),
    connectionsTable(report),
    latencyTable(report),
    serversTable(report),
    rotationTable(report),
    usageTable(report),
    startTable(report),
    buildTable(report),
    imageTable(report),
    pageTable(report),
    soakTable(report),
  ].filter(({ rows }) => rows.length > 0);
}

function rotationTable({ rotation }: BenchReport): Table {
  return {
    id: "rotation",
    title: "How evenly production shares requests",
    columns: [
      ...["servers", "connections", "requests", "smallest", "largest", "difference"].map(
        (title) => ({ title }),
      ),
    ],
    rows: rotation.map(({ servers, connections, requests, shares, difference }) => {
      const [least, most] = shares.length === 0 ? [] : [Math.min(...shares), Math.max(...shares)];
      return [
        ...[whole(servers), whole(connections), whole(requests)].map((text) => cell(text)),
        ...[whole(least), whole(most)].map((text) => cell(text)),
        cell(whole(difference), difference > 1),
      ];
    }),
    notes: ["requests that a server answered, by its own log"],
  };
}

/** Marks what a row says again, so that text can leave it out. */
function withRepeats(groups: Cell[][][]): Cell[][] {
  return groups.flatMap((rows) =>
    rows.map(([first, ...rest], index) =>
      first === undefined ? [] : [index === 0 ? first : { ...first, isRepeated: true }, ...rest],
    ),
  );
}

/** Seconds of a processor core as microseconds, such as `35.5`. */
const micros = (coreSeconds: Figure): string =>
  coreSeconds === undefined ? none : (coreSeconds * 1e6).toFixed(1);

function usageTable({ contenders }: BenchReport): Table {
  const total = (usage: readonly Usage[]): Usage | undefined =>
    usage.length === 0
      ? undefined
      : {
          service: "together",
          containers: sum(usage.map((one) => one.containers)),
          megabytes: sum(usage.map((one) => one.megabytes)),
          cores: sum(usage.map((one) => one.cores)),
        };
  const groups = contenders.map((one) => {
    const { name: contenderName, rest, busy } = one;
    // Busy is read once, in the first round
    const perSecond = comparedSamples(one)[0]?.perSecond;
    const names = [...new Set([...rest, ...busy].map(({ service }) => service))];
    const pairs = names.map((name): [Usage | undefined, Usage | undefined] => [
      rest.find(({ service }) => service === name),
      busy.find(({ service }) => service === name),
    ]);
    const all = names.length > 1 ? [[total(rest), total(busy)] as const] : [];
    return [...pairs, ...all].map(([calm, loaded]) => [
      cell(shortNames[contenderName]),
      cell(calm?.service ?? loaded?.service ?? ""),
      ...[
        ...[whole(calm?.containers ?? loaded?.containers), megabytes(calm?.megabytes)],
        ...[megabytes(loaded?.megabytes), cores(calm?.cores), cores(loaded?.cores)],
        micros(ratio(loaded?.cores, perSecond)),
      ].map((text) => cell(text)),
    ]);
  });
  return {
    id: "usage",
    title: "Memory and processor, at rest and under load",
    columns: [
      { title: "", spoken: "contender", left: true },
      { title: "service", left: true },
      ...["containers", "MB at rest", "MB busy", "cores at rest", "cores busy", "µs/req"].map(
        (title) => ({ title }),
      ),
    ],
    rows: withRepeats(groups),
    notes: [
      "of all containers of a service; busy: two servers, 32 connections",
      "µs/req: of a core for each request, by the requests per second of that round",
    ],
  };
}

function startTable(report: BenchReport): Table {
  const original = middle(contender(report, "original")?.startSeconds ?? []);
  return {
    id: "start",
    title: "From docker-compose up to the first right answer",
    columns: [
      { title: "", spoken: "contender", left: true },
      ...["median", "min–max", "× original"].map((title) => ({ title })),
    ],
    rows: report.contenders.map(({ name, startSeconds }) => {
      const found = middle(startSeconds);
      const texts = [
        ...[seconds(found), range(startSeconds, seconds)],
        times(ratio(found, original)),
      ];
      return [cell(shortNames[name]), ...texts.map((text) => cell(text))];
    }),
    notes: ["with the images built"],
  };
}

function buildTable({ builds }: BenchReport): Table {
  return {
    id: "builds",
    title: "Building the images of production",
    columns: [
      { title: "", spoken: "build", left: true },
      { title: "median" },
      { title: "min–max" },
    ],
    rows:
      builds === undefined
        ? []
        : [
            ["all three, nothing cached", seconds(builds.coldSeconds), ""].map((text) =>
              cell(text),
            ),
            [
              "the back-end, after an edit to api.ts",
              ...[seconds(middle(builds.editSeconds)), range(builds.editSeconds, seconds)],
            ].map((text) => cell(text)),
          ],
    notes: [],
  };
}

function imageTable({ contenders }: BenchReport): Table {
  const row = (title: string, { service, ...size }: ImageSize): Cell[] => [
    ...[cell(title), cell(service), cell(megabytes(size.megabytes))],
    cell(megabytes(size.aboveBase)),
  ];
  return {
    id: "images",
    title: "Image sizes",
    columns: [
      { title: "", spoken: "contender", left: true },
      { title: "service", left: true },
      { title: "all of it" },
      { title: "above its base" },
    ],
    rows: withRepeats(
      contenders.map(({ name, images }) => images.map((one) => row(shortNames[name], one))),
    ),
    notes: ["MB of 1,000,000 bytes"],
  };
}

function pageTable({ page }: BenchReport): Table {
  const paint = ({ largestPaintMs }: PageWeight): Figure => middle(largestPaintMs);
  const row = (title: string, weight: PageWeight): Cell[] => [
    ...[cell(title), cell(whole(weight.requests)), cell(bytes(weight.bytes))],
    ...[cell(millis(paint(weight))), cell(range(weight.largestPaintMs, millis))],
  ];
  const ratios = ({ ours, original }: PageReport): Cell[] => [
    cell("ratio"),
    cell(times(ratio(ours.requests, original.requests))),
    cell(times(ratio(ours.bytes, original.bytes))),
    cell(times(ratio(paint(ours), paint(original)))),
    cell(""),
  ];
  return {
    id: "page",
    title: "The front page, in a browser",
    columns: [
      { title: "", spoken: "page", left: true },
      ...["requests", "on the wire", "largest paint", "min–max"].map((title) => ({ title })),
    ],
    rows:
      page === undefined
        ? []
        : [row("production", page.ours), row("original", page.original), ratios(page)],
    notes: [
      "original: a page of its weight",
      "largest paint: to the largest contentful paint, median of all visits, over a line of 10 Mbit/s with 40 ms that the browser simulates",
    ],
  };
}

function soakTable({ soak }: BenchReport): Table {
  const growth = soak === undefined ? [] : growthOf(soak);
  const rows = (soak?.services ?? []).map(({ service, megabytes: readings }) => {
    const found = growth.find((one) => one.service === service);
    const most = readings.length === 0 ? undefined : Math.max(...readings);
    const change = found === undefined ? undefined : found.late - found.early;
    return [
      cell(service),
      ...[megabytes(found?.early), megabytes(found?.late), megabytes(most)].map((text) =>
        cell(text),
      ),
      cell(`${change !== undefined && change > 0 ? "+" : ""}${megabytes(change)}`, found?.grows),
      cell(whole(readings.length)),
    ];
  });
  return {
    id: "soak",
    title: "Memory of production under load that goes on",
    columns: [
      { title: "", spoken: "service", left: true },
      ...["early", "late", "most", "change", "readings"].map((title) => ({ title })),
    ],
    rows,
    notes:
      soak === undefined
        ? []
        : [
            `${plural(soak.requests, "request")} in ${whole(soak.seconds)} s on ${plural(soak.connections, "connection")}, ${whole(soak.failed)} failed`,
            "early and late: medians of the second and the last fifth of the readings",
          ],
  };
}
