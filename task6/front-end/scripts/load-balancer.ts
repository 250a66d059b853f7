import { Drawing, hueOf } from "./drawing.js";
import { isFailure, type News, type Outcome, shareOf, Traffic, tell } from "./traffic.js";

/** Requests under way at once: as many as a browser has connections to one address. */
const most = 6;

/** Requests that may wait for their turn; whoever goes on clicking adds no more. */
const mostWaiting = 1_000;

/** Milliseconds: between requests of the stream, for an answer, between looks, between sentences. */
const pace = { stream: 100, answer: 10_000, look: 250, sentence: 3_000 };

let traffic = new Traffic();
const drawing = new Drawing(find("#drawing"));

/* ---------- Sending ---------- */

let waiting = 0;
let underWay = 0;
let stream: ReturnType<typeof setTimeout> | undefined;

/** Sends more requests, a few at a time. One that fails is counted, and not sent again. */
function send(more: number): void {
  waiting = Math.min(waiting + more, mostWaiting);
  while (waiting > 0 && underWay < most) {
    waiting -= 1;
    underWay += 1;
    void ask().then((outcome) => {
      underWay -= 1;
      record(outcome);
      send(0);
    });
  }
  showSoon();
}

/** Asks the API once. Never rejects. */
async function ask(): Promise<Outcome> {
  const start = performance.now();
  const end = (): Outcome => ({ at: Date.now(), ms: performance.now() - start });
  try {
    const signal = AbortSignal.timeout(pace.answer);
    const response = await fetch("/api/hello", { cache: "no-store", signal });
    await response.text();
    const server = response.headers.get("X-Served-By") ?? undefined;
    return { ...end(), status: response.status, reason: response.statusText, server };
  } catch {
    return end();
  }
}

/** Starts or ends the stream. It never piles up: it waits while nobody answers or the tab is hidden. */
function setStream(isOn: boolean): void {
  clearTimeout(stream);
  stream = isOn ? setTimeout(flow) : undefined;
  find("#stream").setAttribute("aria-pressed", String(isOn));
}

function flow(): void {
  if (waiting + underWay < most && !document.hidden) send(1);
  // Not in step with another visitor's stream: each would have every turn of one server
  stream = setTimeout(flow, pace.stream * (0.5 + Math.random()));
}

function stop(): void {
  setStream(false);
  waiting = 0;
  isDone = underWay === 0;
  showSoon();
}

/* ---------- Showing ---------- */

function record(outcome: Outcome): void {
  const server = traffic.record(outcome);
  // A new server needs its line before the request can travel along it
  drawing.show(traffic);
  drawing.travel(server?.name);
  if (waiting + underWay === 0 && stream === undefined) isDone = true;
}

let isShowDue = false;

/** Answers that come between two pictures on the screen are shown together. */
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
  find("#waiting").textContent = String(waiting + underWay);
  fill(
    find("#servers"),
    servers.map((server, index) => ({
      kind: server.isGone ? "gone" : hueOf(index),
      cells: [
        server.name,
        String(server.answers),
        shareOf(server, answered),
        server.isGone ? "no longer answers" : "answers",
      ],
    })),
  );
  fill(
    find("#last"),
    last.map((outcome) => {
      const { at, ms, status = "no answer", reason, server = "–" } = outcome;
      const isFailed = isFailure(outcome);
      const answer = isFailed ? `Failed: ${status}` : `${status} ${reason}`;
      return {
        kind: isFailed ? "failing" : "",
        cells: [clock(at), answer, server, `${ms.toFixed(0)} ms`],
      };
    }),
  );
}

/** Puts rows into a table's body. Cells that stay the same are not touched: somebody may be reading. */
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

/** Hours to milliseconds, on the visitor's clock. */
const clock = (at: number): string =>
  `${new Date(at).toLocaleTimeString("en-GB")}.${String(at % 1_000).padStart(3, "0")}`;

/* ---------- Telling ---------- */

let news: News[] = [];
let isDone = false;
let lastSentence = Number.NEGATIVE_INFINITY;

/** Says what is new in the page's live region, seldom enough for a screen reader to keep up. */
function look(): void {
  traffic.findGone(Date.now());
  news.push(...traffic.takeNews());
  const now = performance.now();
  if (now - lastSentence < pace.sentence || (news.length === 0 && !isDone)) return;
  const { answered, failed } = traffic;
  const sum = isDone ? `Done: ${answered} answered, ${failed} failed.` : "";
  find("#status").textContent = `${tell(news)} ${sum}`.trim();
  news = [];
  isDone = false;
  lastSentence = now;
  showSoon();
}

/* ---------- At the start ---------- */

function find<Found extends Element>(selector: string): Found {
  const found = document.querySelector<Found>(selector);
  if (found === null) throw new Error(`There is no ${selector} on this page`);
  return found;
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
setInterval(look, pace.look);
show();
