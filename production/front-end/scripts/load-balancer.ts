import { Drawing, hueOf } from "./drawing.js";
import { isFailure, type News, type Outcome, shareOf, summarize, Traffic } from "./traffic.js";

/** Requests in flight: as many as the connections that a browser opens to one host (HTTP/1.1). */
const maxInFlight = 6;

/** Requests in the queue; more clicks add no more. */
const maxQueued = 1_000;

/** Milliseconds between requests of the stream. */
const streamIntervalMs = 100;

/** Milliseconds after which a request counts as failed. */
const timeoutMs = 10_000;

/** Milliseconds between checks for news, and between announcements. */
const newsIntervalMs = 250;
const announcementIntervalMs = 3_000;

let traffic = new Traffic();
const drawing = new Drawing(find("#drawing"));

/* ---------- Sending ---------- */

let queued = 0;
let inFlight = 0;
let stream: ReturnType<typeof setTimeout> | undefined;

/** Adds requests to the queue, and sends as many as may be in flight. Failed ones are not retried. */
function send(count: number): void {
  queued = Math.min(queued + count, maxQueued);
  while (queued > 0 && inFlight < maxInFlight) {
    queued -= 1;
    inFlight += 1;
    void request().then((outcome) => {
      inFlight -= 1;
      record(outcome);
      send(0);
    });
  }
  showSoon();
}

/** Sends one request to the API. The promise never rejects. */
async function request(): Promise<Outcome> {
  const start = performance.now();
  const end = (): Outcome => ({ at: Date.now(), ms: performance.now() - start });
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch("/api/hello", { cache: "no-store", signal });
    await response.text();
    const server = response.headers.get("X-Served-By") ?? undefined;
    return { ...end(), status: response.status, reason: response.statusText, server };
  } catch {
    return end();
  }
}

/** Starts or stops the stream, which pauses while responses are outstanding or the tab is hidden. */
function setStream(isOn: boolean): void {
  clearTimeout(stream);
  stream = isOn ? setTimeout(streamNext) : undefined;
  find("#stream").setAttribute("aria-pressed", String(isOn));
}

function streamNext(): void {
  if (queued + inFlight < maxInFlight && !document.hidden) send(1);
  // Random, because two streams in step would each get responses from one server only
  stream = setTimeout(streamNext, streamIntervalMs * (0.5 + Math.random()));
}

function stop(): void {
  setStream(false);
  queued = 0;
  isDone = inFlight === 0;
  showSoon();
}

/* ---------- Showing ---------- */

function record(outcome: Outcome): void {
  const server = traffic.record(outcome);
  // Draw a new server's line before a request travels along it
  drawing.show(traffic);
  drawing.travel(server?.name);
  if (queued + inFlight === 0 && stream === undefined) isDone = true;
}

let isShowDue = false;

/** Shows all responses of one animation frame together. */
function showSoon(): void {
  if (isShowDue) return;
  isShowDue = true;
  requestAnimationFrame(() => {
    isShowDue = false;
    show();
  });
}

function show(): void {
  drawing.show(traffic);
  const { answered, failed, servers, last } = traffic;
  find("#answered").textContent = String(answered);
  find("#failed").textContent = String(failed);
  find("#failures").classList.toggle("failing", failed > 0);
  find("#waiting").textContent = String(queued + inFlight);
  fill(
    find("#servers"),
    servers.map((server, index) => ({
      kind: server.isGone ? "gone" : hueOf(index),
      cells: [
        server.name,
        String(server.responses),
        shareOf(server, answered),
        server.isGone ? "no longer responds" : "responds",
      ],
    })),
  );
  fill(
    find("#last"),
    last.map((outcome) => {
      const { at, ms, status = "no response", reason, server = "–" } = outcome;
      const isFailed = isFailure(outcome);
      const result = isFailed ? `Failed: ${status}` : `${status} ${reason}`;
      return {
        kind: isFailed ? "failing" : "",
        cells: [clock(at), result, server, `${ms.toFixed(0)} ms`],
      };
    }),
  );
}

/** Updates a table's rows. It leaves unchanged cells alone, so that selected text stays selected. */
function fill(body: HTMLTableSectionElement, rows: { kind: string; cells: string[] }[]): void {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  for (const [index, { kind, cells }] of rows.entries()) {
    const row = body.rows[index] ?? body.insertRow();
    row.className = kind;
    for (const [column, text] of cells.entries()) {
      const cell = row.cells[column] ?? row.appendChild(newCell(column));
      if (cell.textContent !== text) cell.textContent = text;
    }
  }
}

function newCell(column: number): HTMLTableCellElement {
  const cell = document.createElement(column === 0 ? "th" : "td");
  if (column === 0) cell.scope = "row";
  return cell;
}

/** Local time, from hours to milliseconds. */
const clock = (at: number): string =>
  `${new Date(at).toLocaleTimeString("en-GB")}.${String(at % 1_000).padStart(3, "0")}`;

/* ---------- Announcing ---------- */

let news: News[] = [];
let isDone = false;
let lastAnnouncement = Number.NEGATIVE_INFINITY;

/** Announces news in the page's live region, with pauses that let a screen reader keep up. */
function announce(): void {
  traffic.findGone(Date.now());
  news.push(...traffic.takeNews());
  const now = performance.now();
  if (now - lastAnnouncement < announcementIntervalMs || (news.length === 0 && !isDone)) return;
  const { answered, failed } = traffic;
  const summary = isDone ? `Done: ${answered} answered, ${failed} failed.` : "";
  find("#status").textContent = `${summarize(news)} ${summary}`.trim();
  news = [];
  isDone = false;
  lastAnnouncement = now;
  showSoon();
}

/* ---------- Start ---------- */

function find<Match extends Element>(selector: string): Match {
  const element = document.querySelector<Match>(selector);
  if (element === null) throw new Error(`This page has no element ${selector}`);
  return element;
}

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-count]")) {
  button.addEventListener("click", () => send(Number(button.dataset.count)));
}
find("#stream").addEventListener("click", () => setStream(stream === undefined));
find("#stop").addEventListener("click", stop);
find("#clear").addEventListener("click", () => {
  traffic = new Traffic();
  drawing.clear();
  showSoon();
});
setInterval(announce, newsIntervalMs);
show();
