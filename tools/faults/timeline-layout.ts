import { textWidth } from "../lib/svg";

/** Finds the least 1, 2 or 5 times a power of ten that is no less than a number above 0. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10;
  return power < 1 ? factor / Math.round(1 / power) : factor * power;
}

/** @returns Round values from 0 to the last that is not beyond a number, about so many. */
export function ticks(most: number, count: number): number[] {
  const step = roundUp(most / count);
  const length = Math.floor(most / step + 1e-9) + 1;
  return Array.from({ length }, (_, index) => Number((index * step).toPrecision(12)));
}

/** An event's line, from left to right, and what is to be written at its top. */
export interface Label {
  x: number;
  text: string;
}

/** Where a label goes: beside its line's top, in a row counted from the bottom. */
export interface Placed extends Label {
  row: number;
  anchor: "start" | "end";
  left: number;
  right: number;
}

export interface Room {
  left: number;
  right: number;
  /** Of the font. */
  size: number;
  mostRows: number;
}

/** Between a line and its own label. */
const beside = 4;
/** Between two labels in a row. */
const apart = 10;

/** Trying is for few labels; more would not fit anyway. */
const mostLabels = 24;

/**
 * Finds rows for labels so that no label touches another one or another one's line, in as few rows
 * as can be: all to the right of their lines, but for the last few, to the left.
 * @param labels In the order of their places.
 * @returns undefined where there is not enough room.
 */
export function placeLabels(labels: readonly Label[], room: Room): Placed[] | undefined {
  if (labels.length > mostLabels) return undefined;
  const tried = Array.from({ length: labels.length + 1 }, (_, turned) =>
    placeWith(labels, labels.length - turned, room),
  ).filter((placed) => placed !== undefined);
  const rows = (placed: Placed[]): number => Math.max(0, ...placed.map(({ row }) => row));
  return tried.sort((a, b) => rows(a) - rows(b))[0];
}

/** @param turnedFrom Labels from this one on are to the left of their lines. */
function placeWith(
  labels: readonly Label[],
  turnedFrom: number,
  { left: least, right: most, size, mostRows }: Room,
): Placed[] | undefined {
  // Each where only labels that are placed already can be in its way
  const inOrder = [...labels.slice(0, turnedFrom).reverse(), ...labels.slice(turnedFrom)];
  const placed: Placed[] = [];
  for (const label of inOrder) {
    const anchor = placed.length < turnedFrom ? "start" : "end";
    const width = textWidth(label.text, size);
    const left = anchor === "start" ? label.x + beside : label.x - beside - width;
    const right = left + width;
    if (left < least || right > most) return undefined;
    const found = Array.from({ length: mostRows }, (_, row) => row)
      .map((row): Placed => ({ ...label, row, anchor, left, right }))
      .find((candidate) => !placed.some((other) => collide(candidate, other)));
    if (found === undefined) return undefined;
    placed.push(found);
  }
  return placed.sort((a, b) => a.x - b.x);
}

function collide(one: Placed, other: Placed): boolean {
  const isUnder = (label: Placed, { x, row }: Placed): boolean =>
    label.row <= row && x > label.left - 2 && x < label.right + 2;
  const overlap = one.left < other.right + apart && other.left < one.right + apart;
  return (one.row === other.row && overlap) || isUnder(one, other) || isUnder(other, one);
}

/** A mark for events that are too close for marks of their own: `3` or `3–7`. */
export interface NumberMark {
  text: string;
  left: number;
  right: number;
}

/**
 * Numbers events from 1, with one mark for those whose marks would overlap.
 * @param xs In order.
 */
export function numberMarks(
  xs: readonly number[],
  { left, right, size }: Pick<Room, "left" | "right" | "size">,
): NumberMark[] {
  interface Group {
    first: number;
    last: number;
  }
  const markOf = ({ first, last }: Group): NumberMark => {
    const text = first === last ? `${first + 1}` : `${first + 1}–${last + 1}`;
    const width = textWidth(text, size) + 10;
    const middle = ((xs[first] ?? 0) + (xs[last] ?? 0)) / 2;
    const from = Math.max(left, Math.min(right - width, middle - width / 2));
    return { text, left: from, right: from + width };
  };
  const groups: Group[] = [];
  for (const index of xs.keys()) {
    let group = { first: index, last: index };
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      if (markOf(last).right + 3 <= markOf(group).left) break;
      groups.pop();
      group = { first: last.first, last: group.last };
    }
    groups.push(group);
  }
  return groups.map(markOf);
}
