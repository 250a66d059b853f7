import { shortNames } from "./figures";
import type { BenchReport, ContenderReport } from "./report";

/** A table, to be shown as text or in a page. */
export interface Table {
  /** For a link, and for tests. */
  id: string;
  title: string;
  columns: Column[];
  rows: Cell[][];
  /** What a reader has to know to judge it. */
  notes: string[];
}

export interface Column {
  /** May be empty where the column is part of the one before. */
  title: string;
  /** Of a column without a title, for who cannot see it. */
  spoken?: string;
  /** Whether it is words, not numbers. */
  left?: boolean;
}

export interface Cell {
  text: string;
  isBad?: boolean;
  /** Said in the row above as well. */
  isRepeated?: boolean;
}

/** A cell with a text in it. */
export const cell = (text: string, isBad = false): Cell => ({ text, ...(isBad && { isBad }) });
export const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** @returns What a contender is, in sentences: its title, what is special about it, its programs. */
export const describeContender = ({ name, title, about, versions }: ContenderReport): string[] =>
  [title === shortNames[name] ? "" : title, about, versions]
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`));

/** Such as `medians of 5 rounds of 10 s each`. */
export const settingsOf = ({ settings: { rounds, seconds: length } }: BenchReport): string =>
  rounds === 1 ? `one round of ${length} s` : `medians of ${rounds} rounds of ${length} s each`;
