/** The position and width of a box, in CSS pixels. */
export interface Place {
  x: number;
  y: number;
  width: number;
}

/** CSS pixels. */
export const boxHeight = 64;
export const padding = 14;
const rowHeight = 78;

/** Minimum width of the horizontal layout, in CSS pixels; a narrower drawing is vertical. */
const wideFrom = 540;

/** The positions of all boxes, and the lines between them. */
export interface Plan {
  browser: Place;
  proxy: Place;
  frontEnd: Place;
  servers: Place[];
  heading: { x: number; y: number };
  /** A line from under the browser's box to under the server's. */
  pathTo(server: Place): string;
  pathToProxy: string;
}

/** @param count The number of servers, at least one. */
export const layOut = (width: number, count: number): Plan =>
  width < wideFrom ? layOutNarrow(width, count) : layOutWide(width, count);

const middle = ({ y }: Place): number => y + boxHeight / 2;

/** From left to right; the servers are in a column. */
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

/** From top to bottom; the servers are branches of one trunk. */
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
