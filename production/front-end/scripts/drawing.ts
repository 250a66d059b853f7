import { boxHeight, layOut, type Place, padding } from "./layout.js";
import { type Server, shareOf, shorten, type Traffic } from "./traffic.js";

/** A box with a name and a line of text below it. */
interface Box {
  group: SVGElement;
  frame: SVGElement;
  detail: SVGElement;
}

interface ServerBox extends Box {
  line: SVGElement;
  hue: string;
  /** The server's share of the traffic, from 0 to 1; `bar` shows it as a part of `track`. */
  share: number;
  bar: SVGElement;
  track: SVGElement;
}

/** Milliseconds. Dots start with a gap between them, or simultaneous ones would look like one. */
const travelMs = 900;
const gapMs = 20;
const litMs = 500;

/** Further requests only light up their line. */
const maxDots = 120;

/** Number of colors in load-balancer.css; a sixth server gets the first color again. */
const hues = 5;

/** @returns The CSS class for a server's color, by the order in which the servers appeared, from 0. */
export const hueOf = (index: number): string => `hue-${(index % hues) + 1}`;

/** Draws requests that travel from the browser through the proxy, each along its server's line. */
export class Drawing {
  readonly #svg: SVGElement;
  readonly #lines = create("g");
  readonly #dots = create("g");
  readonly #boxes = create("g");
  readonly #heading = create("text", { class: "heading" });
  readonly #browser = this.#addBox("browser", "Your browser");
  readonly #proxy = this.#addBox("proxy", "Proxy");
  readonly #frontEnd = this.#addBox("front-end", "Front-end");
  readonly #placeholder = this.#addBox("placeholder", "No server known yet");
  readonly #siteLine = this.#addLine("site");
  /** Ends at the proxy, as failed requests do. */
  readonly #entry = this.#addLine("entry");
  readonly #servers = new Map<string, ServerBox>();
  readonly #litTimers = new WeakMap<SVGElement, ReturnType<typeof setTimeout>>();
  readonly #prefersReducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  #nextDeparture = 0;

  /** @param svg Contains its title; CSS sets its width. */
  constructor(svg: SVGElement) {
    this.#svg = svg;
    this.#heading.textContent = "API servers";
    this.#frontEnd.detail.textContent = "served this page";
    this.#placeholder.detail.textContent = "send a request";
    // Later elements cover earlier ones: a request passes under the proxy
    svg.append(this.#lines, this.#dots, this.#boxes, this.#heading);
    new ResizeObserver(() => this.#layOut()).observe(svg);
  }

  /** Updates boxes, lines and numbers. */
  show({ servers, answered, failed }: Traffic): void {
    const isNew = servers.filter(({ name }) => !this.#servers.has(name));
    for (const { name } of isNew) this.#add(name);
    if (isNew.length > 0) this.#layOut();

    const ended = answered + failed;
    this.#browser.detail.textContent = `${ended} request${ended === 1 ? "" : "s"}`;
    this.#proxy.detail.textContent = failed === 0 ? "round robin" : `✕ ${failed} failed`;
    this.#proxy.group.classList.toggle("failing", failed > 0);
    for (const server of servers) this.#showServer(server, answered);
  }

  /** Removes all servers. */
  clear(): void {
    for (const { group, line } of this.#servers.values()) {
      group.remove();
      line.remove();
    }
    this.#servers.clear();
    this.#dots.replaceChildren();
    this.#layOut();
  }

  /**
   * Animates one request.
   * @param server The server that answered it; if undefined, the request failed and ends at the proxy.
   */
  travel(server: string | undefined): void {
    const box = server === undefined ? undefined : this.#servers.get(server);
    const line = box?.line ?? this.#entry;
    this.#light(line, box === undefined ? "failing" : "lit");

    const isFull = this.#dots.childElementCount >= maxDots;
    if (this.#prefersReducedMotion.matches || document.hidden || isFull) return;
    const dot =
      box === undefined
        ? create("path", { class: "dot failing", d: "M-6-6 6 6M6-6-6 6" })
        : create("circle", { class: `dot ${box.hue}`, r: 6 });
    dot.style.offsetPath = `path("${line.getAttribute("d")}")`;
    dot.style.offsetRotate = "0deg";
    this.#dots.append(dot);

    const now = performance.now();
    const departure = Math.max(now, this.#nextDeparture);
    this.#nextDeparture = departure + gapMs;
    const journey = dot.animate([{ offsetDistance: "0%" }, { offsetDistance: "100%" }], {
      duration: travelMs,
      delay: departure - now,
      fill: "both",
      easing: "ease-in-out",
    });
    journey.onfinish = () => dot.remove();
  }

  /** Lights a line for a moment; further requests extend it, so that the line does not flicker. */
  #light(line: SVGElement, how: "lit" | "failing"): void {
    clearTimeout(this.#litTimers.get(line));
    line.classList.remove("lit", "failing");
    line.classList.add(how);
    this.#litTimers.set(
      line,
      setTimeout(() => line.classList.remove(how), litMs),
    );
  }

  #showServer(server: Server, answered: number): void {
    const box = this.#servers.get(server.name);
    if (box === undefined) return;
    const numbers = `${server.responses} · ${shareOf(server, answered)}`;
    box.detail.textContent = server.isGone ? `${numbers} · no longer responds` : numbers;
    box.group.classList.toggle("gone", server.isGone);
    box.line.classList.toggle("gone", server.isGone);
    box.share = server.responses / answered;
    showShare(box);
  }

  #add(name: string): void {
    const hue = hueOf(this.#servers.size);
    const box = this.#addBox(`server ${hue}`, shorten(name));
    const bar = create("rect", { class: "part", x: padding, y: 51, height: 5, rx: 2.5 });
    const track = create("rect", { class: "track", x: padding, y: 51, height: 5, rx: 2.5 });
    box.group.append(track, bar);
    this.#servers.set(name, { ...box, line: this.#addLine(hue), hue, share: 0, bar, track });
    // Draw it above the others: it turns red when requests fail
    this.#lines.append(this.#entry);
  }

  #addBox(kind: string, name: string): Box {
    const frame = create("rect", { class: "frame", height: boxHeight, rx: 14 });
    const title = create("text", { class: "name", x: padding, y: 25 });
    const detail = create("text", { class: "detail", x: padding, y: 44 });
    title.textContent = name;
    const group = create("g", { class: `box ${kind}` });
    group.append(frame, title, detail);
    this.#boxes.append(group);
    return { group, frame, detail };
  }

  #addLine(kind = ""): SVGElement {
    const line = create("path", { class: `line ${kind}` });
    this.#lines.append(line);
    return line;
  }

  /** Positions boxes and lines for the current width. */
  #layOut(): void {
    const width = this.#svg.clientWidth;
    if (width === 0) return;
    const servers = [...this.#servers.values()];
    const hasNone = servers.length === 0;
    this.#placeholder.group.classList.toggle("hidden", !hasNone);
    this.#entry.classList.toggle("waiting", hasNone);
    const plan = layOut(width, Math.max(1, servers.length));

    put(this.#browser, plan.browser);
    put(this.#proxy, plan.proxy);
    put(this.#frontEnd, plan.frontEnd);
    set(this.#siteLine, { d: plan.pathTo(plan.frontEnd) });
    set(this.#entry, { d: plan.pathToProxy });
    set(this.#heading, plan.heading);
    for (const [index, place] of plan.servers.entries()) {
      const box = servers[index];
      put(box ?? this.#placeholder, place);
      if (box === undefined) continue;
      set(box.line, { d: plan.pathTo(place) });
      set(box.track, { width: place.width - 2 * padding });
      showShare(box);
    }
    set(this.#svg, { height: plan.frontEnd.y + boxHeight });
  }
}

type Attributes = Record<string, string | number>;

function create<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(element, attributes);
  return element;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

function put({ group, frame }: Box, { x, y, width }: Place): void {
  set(group, { transform: `translate(${x} ${y})` });
  set(frame, { width });
}

function showShare({ share, bar, track }: ServerBox): void {
  set(bar, { width: share * Number(track.getAttribute("width")) });
}
