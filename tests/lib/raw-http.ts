import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One answer, as it came over the wire. */
export interface RawAnswer {
  status: number;
  /** Names in lower case; of several with one name, the last. */
  headers: Record<string, string>;
  /** Without the chunks' framing; each byte one character. */
  body: string;
  /** False when the connection ended, or fell silent, in the middle of it. */
  complete: boolean;
}

/** What came of one connection. */
export interface Exchange {
  answers: RawAnswer[];
  /** What is no HTTP/1 answer: all of HTTP/0.9, or whatever follows the last answer. */
  rest: string;
  /** Every byte that came, each one character. */
  received: string;
  /**
   * How it ended: the server closed or reset the connection; nothing came for a while; the time was
   * over; the client itself left, as it was told to.
   */
  ended: "closed" | "reset" | "quiet" | "late" | "left";
  ms: number;
}

export interface RawClient {
  /** Between one piece and the next. */
  pauseMs?: number;
  /** What the client does once all is sent: waits, ends its own side, or leaves without reading. */
  afterwards?: "wait" | "end" | "leave";
  /** Takes a silence of this length after the first answer for the end; without it, waits on. */
  quietMs?: number;
  /** No connection is kept for longer. */
  timeoutMs?: number;
  /** So many answers, the first ones, are to HEAD: they announce a body and have none. */
  heads?: number;
  /** Reads nothing until this long after the last piece is sent. */
  readAfterMs?: number;
}

/**
 * Sends bytes to a server on this machine, whatever they mean, and collects all that comes back.
 * @param pieces Sent one after the other, each character one byte. Once the server closes, the rest
 *   is not sent.
 */
export async function exchange(
  port: number,
  pieces: string | Iterable<string>,
  client: RawClient = {},
): Promise<Exchange> {
  const { pauseMs = 0, afterwards = "wait", quietMs, timeoutMs = 10_000 } = client;
  const { heads = 0, readAfterMs } = client;
  const start = performance.now();
  const chunks: string[] = [];
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setEncoding("latin1");

  let quiet: NodeJS.Timeout | undefined;
  const ended = new Promise<Exchange["ended"]>((resolve) => {
    const late = setTimeout(() => resolve("late"), timeoutMs);
    const settle = (how: Exchange["ended"]) => (): void => {
      clearTimeout(late);
      clearTimeout(quiet);
      resolve(how);
    };
    const listen = (): void => {
      socket.on("data", (chunk: string) => {
        chunks.push(chunk);
        if (quietMs === undefined) return;
        clearTimeout(quiet);
        quiet = setTimeout(settle("quiet"), quietMs);
      });
    };
    if (readAfterMs === undefined) listen();
    else socket.pause();
    socket.once("end", settle("closed")).once("close", settle("closed"));
    socket.once("error", settle("reset"));
    const sent = async (): Promise<void> => {
      for (const piece of typeof pieces === "string" ? [pieces] : pieces) {
        if (!socket.writable) return;
        // The callback also comes, with an error, when the connection is gone
        await new Promise((done) => socket.write(piece, "latin1", done));
        if (pauseMs > 0) await sleep(pauseMs);
      }
      if (readAfterMs !== undefined) {
        await sleep(readAfterMs);
        listen();
        socket.resume();
      }
      if (afterwards === "end") socket.end();
      if (afterwards === "leave") {
        socket.resetAndDestroy();
        settle("left")();
      }
    };
    sent().catch(settle("reset"));
  });

  const how = await ended;
  socket.destroy();
  const received = chunks.join("");
  return { ...parseAnswers(received, heads), received, ended: how, ms: performance.now() - start };
}

/**
 * Splits what came over a connection into its answers.
 * @param heads So many of them, the first ones, are to HEAD.
 */
export function parseAnswers(received: string, heads = 0): { answers: RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = [];
  let rest = received;
  for (;;) {
    const start = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/.exec(
      rest,
    );
    if (start === null) return { answers, rest };
    const status = Number(start[1]);
    const headers = Object.fromEntries(
      (start[2] ?? "")
        .split("\r\n")
        .filter((line) => line !== "")
        .map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
        }),
    );
    const after = rest.slice(start[0].length);
    const { body, length, complete } = bodyOf(status, headers, after, answers.length < heads);
    answers.push({ status, headers, body, complete });
    rest = after.slice(length);
  }
}

/** @returns A body, and how many bytes it takes with its framing. */
function bodyOf(
  status: number,
  headers: Record<string, string>,
  text: string,
  head: boolean,
): { body: string; length: number; complete: boolean } {
  if (head || status < 200 || status === 204 || status === 304) {
    return { body: "", length: 0, complete: true };
  }
  if (headers["transfer-encoding"] === "chunked") return chunksOf(text);
  const announced = headers["content-length"];
  const length = announced === undefined ? text.length : Number(announced);
  return { body: text.slice(0, length), length, complete: text.length >= length };
}

function chunksOf(text: string): { body: string; length: number; complete: boolean } {
  const sizeLine = /([\da-f]+)[^\r\n]*\r\n/iy;
  let [body, offset] = ["", 0];
  for (;;) {
    sizeLine.lastIndex = offset;
    const match = sizeLine.exec(text);
    if (match === null) return { body, length: text.length, complete: false };
    const size = Number.parseInt(match[1] ?? "", 16);
    const start = offset + match[0].length;
    body += text.slice(start, start + size);
    offset = start + size + 2;
    if (offset > text.length) return { body, length: text.length, complete: false };
    if (size === 0) return { body, length: offset, complete: true };
  }
}
