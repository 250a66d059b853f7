import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A response as it came over the wire. */
export interface RawResponse {
  status: number;
  /** Names in lower case; of several with one name, the last. */
  headers: Record<string, string>;
  /** Without the chunks' framing; each byte one character. */
  body: string;
  /** False if the connection ended, or fell silent, in the middle of it. */
  complete: boolean;
}

/** What happened on one connection. */
export interface Exchange {
  responses: RawResponse[];
  /** What is not an HTTP/1 response: all of HTTP/0.9, or what follows the last response. */
  rest: string;
  /** Every byte that came, each one character. */
  received: string;
  /** The server closed or reset it, nothing came for a while, it timed out, or the client left. */
  ended: "closed" | "reset" | "quiet" | "late" | "left";
  ms: number;
}

export interface RawClient {
  /** Between one piece and the next. */
  pauseMs?: number;
  /** What the client does after the last piece: waits, ends its side, or leaves without reading. */
  afterwards?: "wait" | "end" | "leave";
  /** Ends the exchange after a silence of this length that follows the first response. */
  quietMs?: number;
  timeoutMs?: number;
  /** The number of HEAD requests at the start: their responses announce a body and have none. */
  heads?: number;
  /** Reads nothing until this long after the last piece. */
  readAfterMs?: number;
}

/**
 * Sends bytes to a server on this machine and collects all that comes back.
 * @param pieces Sent one after the other, each character one byte, until the server closes.
 */
export async function exchange(
  port: number,
  pieces: string | Iterable<string>,
  client: RawClient = {},
): Promise<Exchange> {
  const { pauseMs = 0, afterwards = "wait", quietMs, timeoutMs = 10_000, readAfterMs } = client;
  const start = performance.now();
  let received = "";
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setEncoding("latin1");

  let resolve: (ended: Exchange["ended"]) => void = () => undefined;
  const promise = new Promise<Exchange["ended"]>((settle) => {
    resolve = settle;
  });
  const timeout = setTimeout(() => resolve("late"), timeoutMs);
  let silence: NodeJS.Timeout | undefined;
  const read = (): void => {
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (quietMs === undefined) return;
      clearTimeout(silence);
      silence = setTimeout(() => resolve("quiet"), quietMs);
    });
  };
  const send = async (): Promise<void> => {
    for (const piece of typeof pieces === "string" ? [pieces] : pieces) {
      if (!socket.writable) return;
      // The callback also runs, with an error, if the connection is gone
      await new Promise((done) => socket.write(piece, "latin1", done));
      if (pauseMs > 0) await sleep(pauseMs);
    }
    if (readAfterMs !== undefined) {
      await sleep(readAfterMs);
      read();
      socket.resume();
    }
    if (afterwards === "end") socket.end();
    if (afterwards === "leave") {
      socket.resetAndDestroy();
      resolve("left");
    }
  };
  if (readAfterMs === undefined) read();
  else socket.pause();
  socket.once("end", () => resolve("closed")).once("close", () => resolve("closed"));
  socket.once("error", () => resolve("reset"));
  send().catch(() => resolve("reset"));

  const ended = await promise;
  clearTimeout(timeout);
  clearTimeout(silence);
  socket.destroy();
  const ms = performance.now() - start;
  return { ...parseResponses(received, client.heads), received, ended, ms };
}

/**
 * Splits the bytes of a connection into responses.
 * @param heads The number of responses to HEAD at the start.
 */
export function parseResponses(
  received: string,
  heads = 0,
): { responses: RawResponse[]; rest: string } {
  const responses: RawResponse[] = [];
  const head = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/;
  let rest = received;
  for (;;) {
    const match = head.exec(rest);
    if (match === null) return { responses, rest };
    const [{ length: headLength }, statusText, lines = ""] = match;
    const status = Number(statusText);
    const headers = Object.fromEntries(
      Array.from(lines.matchAll(/([^\r\n:]+):([^\r\n]*)/g), ([, name = "", value = ""]) => [
        name.toLowerCase(),
        value.trim(),
      ]),
    );
    const after = rest.slice(headLength);
    const isEmpty = responses.length < heads || status < 200 || [204, 304].includes(status);
    const { body, length, complete } = isEmpty ? bodyOf({}, "") : bodyOf(headers, after);
    responses.push({ status, headers, body, complete });
    rest = after.slice(length);
  }
}

interface Body {
  body: string;
  /** How many bytes it takes with its framing. */
  length: number;
  complete: boolean;
}

function bodyOf(headers: Record<string, string>, text: string): Body {
  if (headers["transfer-encoding"] === "chunked") return chunksOf(text);
  const announced = headers["content-length"];
  const length = announced === undefined ? text.length : Number(announced);
  return { body: text.slice(0, length), length, complete: text.length >= length };
}

function chunksOf(text: string): Body {
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
