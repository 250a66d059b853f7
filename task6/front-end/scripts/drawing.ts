import { type Server, shareOf, shorten, type Traffic } from "./traffic.js";

/** Where a box stands, in CSS pixels. */
interface Place {
  x: number;
  y: number;
  width: number;
}

/** A box with a name and a line of text under it. */
interface Box {
  group: SVGElement;
  frame: SVGElement;
  detail: SVGElement;
}

interface ServerBox extends Box {
  line: SVGElement;
  hue: string;
  /** How much of the traffic is this server's, from 0 to 1; and that as a part of a whole bar. */
  share: number;
  bar: SVGElement;
  track: SVGElement;
}

const [boxHeight, rowHeight, padding] = [64, 78, 14];

/** CSS pixels; a narrower drawing runs downwards. */
const wideFrom = 540;

/** Milliseconds. Answers that come at once leave one after the other, or they would look like one. */
const pace = { travel: 900, between: 20, lit: 500 };

/** Requests on their way in the drawing; what comes on top of that only lights up its line. */
const mostDots = 120;

/** Colours in load-balancer.css; a sixth server has the first one's. */
const hues = 5;

/** @returns The class that colours the server which answered first, second and so on, from 0. */
export const hueOf = (index: number): string => `hue-${(index % hues) + 1}`;

/** Draws where requests go: from the browser through the proxy, each along the line of its server. */
export class Drawing {
  readonly #svg: SVGElement;
  readonly #lines = create("g");
  readonly #dots = create("g");
  readonly #boxes = create("g");
  readonly #heading = create("text", { class: "heading" });
  readonly #browser = this.#addBox("browser", "Your browser");
  readonly #proxy = this.#addBox("proxy", "Proxy");
  readonly #frontEnd = this.#addBox("front-end", "Front-end");
  readonly #nobody = this.#addBox("nobody", "None has answered yet");
  readonly #siteLine = this.#addLine("site");
  /** As far as the proxy: what fails comes no farther. */
  readonly #entry = this.#addLine("entry");
  readonly #servers = new Map<string, ServerBox>();
  readonly #goingOut = new WeakMap<SVGElement, ReturnType<typeof setTimeout>>();
  readonly #prefersStillness = matchMedia("(prefers-reduced-motion: reduce)");
  #nextDeparture = 0;

  /** @param svg Has its title already; it is as wide as the page lets it be. */
  constructor(svg: SVGElement) {
    this.#svg = svg;
    this.#heading.textContent = "API servers";
    this.#frontEnd.detail.textContent = "served this page";
    this.#nobody.detail.textContent = "send a request";
    // The later ones cover the earlier ones: a request passes under the proxy
    svg.append(this.#lines, this.#dots, this.#boxes, this.#heading);
    new ResizeObserver(() => this.#layOut()).observe(svg);
  }

  /** Brings boxes, lines and numbers up to date. */
  show({ servers, answered, failed }: Traffic): void {
    const isNew = servers.filter(({ name }) => !this.#servers.has(name));
    for (const { name } of isNew) this.#add(name);
    if (isNew.length > 0) this.#layOut();

    const ended = answered + failed;
    this.#browser.detail.textContent = `${ended} request${ended === 1 ? "" : "s"}`;
    this.#proxy.detail.textContent = failed === 0 ? "takes turns" : `✕ ${failed} failed`;
    this.#proxy.group.classList.toggle("failing", failed > 0);
    for (const server of servers) this.#showServer(server, answered);
  }

  /** Forgets the servers. */
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
   * Lets one request travel.
   * @param server Who answered it; undefined where it failed: then it ends at the proxy.
   */
  travel(server: string | undefined): void {
    const box = server === undefined ? undefined : this.#servers.get(server);
    const line = box?.line ?? this.#entry;
    this.#light(line, box === undefined ? "failing" : "lit");

    const isFull = this.#dots.childElementCount >= mostDots;
    if (this.#prefersStillness.matches || document.hidden || isFull) return;
    const dot =
      box === undefined
        ? create("path", { class: "dot failing", d: "M-6-6 6 6M6-6-6 6" })
        : create("circle", { class: `dot ${box.hue}`, r: 6 });
    dot.style.offsetPath = `path("${line.getAttribute("d")}")`;
    dot.style.offsetRotate = "0deg";
    this.#dots.append(dot);

    const now = performance.now();
    const departure = Math.max(now, this.#nextDeparture);
    this.#nextDeparture = departure + pace.between;
    const journey = dot.animate([{ offsetDistance: "0%" }, { offsetDistance: "100%" }], {
      duration: pace.travel,
      delay: departure - now,
      fill: "both",
      easing: "ease-in-out",
    });
    journey.onfinish = () => dot.remove();
  }

  /** Lights a line for a moment. While requests keep coming it stays lit, so that it never flickers. */
  #light(line: SVGElement, how: "lit" | "failing"): void {
    clearTimeout(this.#goingOut.get(line));
    line.classList.remove("lit", "failing");
    line.classList.add(how);
    this.#goingOut.set(
      line,
      setTimeout(() => line.classList.remove(how), pace.lit),
    );
  }

  #showServer(server: Server, answered: number): void {
    const box = this.#servers.get(server.name);
    if (box === undefined) return;
    const numbers = `${server.answers} · ${shareOf(server, answered)}`;
    box.detail.textContent = server.isGone ? `${numbers} · no longer answers` : numbers;
    box.group.classList.toggle("gone", server.isGone);
    box.line.classList.toggle("gone", server.isGone);
    box.share = server.answers / answered;
    showShare(box);
  }

  #add(name: string): void {
    const hue = hueOf(this.#servers.size);
    const box = this.#addBox(`server ${hue}`, shorten(name));
    const bar = create("rect", { class: "part", x: padding, y: 51, height: 5, rx: 2.5 });
    const track = create("rect", { class: "track", x: padding, y: 51, height: 5, rx: 2.5 });
    box.group.append(track, bar);
    this.#servers.set(name, { ...box, line: this.#addLine(hue), hue, share: 0, bar, track });
    // On top of the others: it is red when requests fail
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

  /** Gives every box its place, and every line its way, for the width that there is. */
  #layOut(): void {
    const width = this.#svg.clientWidth;
    if (width === 0) return;
    const servers = [...this.#servers.values()];
    const hasNone = servers.length === 0;
    this.#nobody.group.classList.toggle("hidden", !hasNone);
    this.#entry.classList.toggle("waiting", hasNone);
    const planFor = width < wideFrom ? layOutNarrow : layOutWide;
    const plan = planFor(width, Math.max(1, servers.length));

    put(this.#browser, plan.browser);
    put(this.#proxy, plan.proxy);
    put(this.#frontEnd, plan.frontEnd);
    set(this.#siteLine, { d: plan.pathTo(plan.frontEnd) });
    set(this.#entry, { d: plan.pathToProxy });
    set(this.#heading, plan.heading);
    for (const [index, place] of plan.servers.entries()) {
      const box = servers[index];
      put(box ?? this.#nobody, place);
      if (box === undefined) continue;
      set(box.line, { d: plan.pathTo(place) });
      set(box.track, { width: place.width - 2 * padding });
      showShare(box);
    }
    set(this.#svg, { height: plan.frontEnd.y + boxHeight });
  }
}

/** Where everything stands. */
interface Plan {
  browser: Place;
  proxy: Place;
  frontEnd: Place;
  servers: Place[];
  heading: { x: number; y: number };
  /** From under the browser's box to under the server's. */
  pathTo(server: Place): string;
  pathToProxy: string;
}

const middle = ({ y }: Place): number => y + boxHeight / 2;

/** From left to right; the servers one below the other. */
function layOutWide(width: number, count: number): Plan {
  const side = Math.min(180, 0.22 * width);
  const last = Math.min(270, 0.4 * width);
  const x = width - last;
  const servers = Array.from({ length: count }, (_, row) => ({
    x,
    y: 28 + row * rowHeight,
    width: last,
  }));
  const frontEnd = { x, y: 28 + count * rowHeight + 14, width: last };
  const y = 28 + ((count - 1) * rowHeight) / 2;
  const browser = { x: 0, y, width: side };
  const proxy = { x: side + 0.42 * (x - 2 * side), y, width: side };
  const exit = proxy.x + side;
  const bend = (x - exit) / 2;
  const start = `M${side / 2} ${middle(proxy)}H`;
  return {
    browser,
    proxy,
    frontEnd,
    servers,
    heading: { x, y: 14 },
    pathTo: (server) =>
      `${start}${exit}c${bend} 0 ${bend} ${middle(server) - middle(proxy)} ${x - exit} ${middle(server) - middle(proxy)}h${padding}`,
    pathToProxy: `${start}${proxy.x - 4}`,
  };
}

/** From top to bottom, with the servers as branches of one trunk. */
function layOutNarrow(width: number, count: number): Plan {
  const [trunk, indent] = [18, 44];
  const browser = { x: 0, y: 0, width };
  const proxy = { x: 0, y: boxHeight + 36, width };
  const top = proxy.y + boxHeight + 44;
  const branch = { x: indent, width: width - indent };
  const servers = Array.from({ length: count }, (_, row) => ({
    ...branch,
    y: top + row * rowHeight,
  }));
  const frontEnd = { ...branch, y: top + count * rowHeight + 6 };
  const start = `M${trunk} ${middle(browser)}V`;
  return {
    browser,
    proxy,
    frontEnd,
    servers,
    heading: { x: indent, y: top - 14 },
    pathTo: (server) => `${start}${middle(server) - 12}q0 12 12 12H${indent + padding}`,
    pathToProxy: `${start}${proxy.y - 4}`,
  };
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
