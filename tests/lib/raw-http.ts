import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A response as it came over the wire. */
export interface RawResponse {
  status: number;
  /** Names in lower case; of several with one name, the last. */
  headers: Record<string, string>;
  /** With the framing of its chunks; each byte one character. */
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
  /** Reads nothing until this long after the last piece. */
  readAfterMs?: number;
}

/**
 * Sends bytes to a server on this machine and collects all that comes back.
 * @param bytes All at once or in pieces, until the server closes. Each character is one byte.
 */
export async function exchange(
  port: number,
  bytes: string | readonly string[],
  client: RawClient = {},
): Promise<Exchange> {
  const { pauseMs = 0, afterwards = "wait", quietMs, timeoutMs = 10_000, readAfterMs } = client;
  const pieces = [bytes].flat();
  const start = performance.now();
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setEncoding("latin1");
  if (readAfterMs !== undefined) socket.pause();
  let received = "";
  let timeout: NodeJS.Timeout | undefined;

  const ended = await new Promise<Exchange["ended"]>((resolve) => {
    timeout = setTimeout(resolve, timeoutMs, "late");
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (quietMs !== undefined) socket.setTimeout(quietMs);
    });
    socket.once("timeout", () => resolve("quiet"));
    socket.once("end", () => resolve("closed")).once("close", () => resolve("closed"));
    socket.once("error", () => resolve("reset"));
    const send = async (): Promise<void> => {
      for (const piece of pieces) {
        if (!socket.writable) return;
        // The callback also runs, with an error, if the connection is gone
        await new Promise((done) => socket.write(piece, "latin1", done));
        if (pauseMs > 0) await sleep(pauseMs);
      }
      if (readAfterMs !== undefined) {
        await sleep(readAfterMs);
        socket.resume();
      }
      if (afterwards === "end") socket.end();
      if (afterwards === "leave") {
        socket.resetAndDestroy();
        resolve("left");
      }
    };
    send().catch(() => resolve("reset"));
  });
  clearTimeout(timeout);
  socket.destroy();
  const ms = performance.now() - start;
  return { ...parseResponses(received, pieces[0]?.startsWith("HEAD ")), received, ended, ms };
}

/**
 * Splits the bytes of a connection into responses.
 * @param isFirstToHead A response to HEAD announces a body and has none.
 */
export function parseResponses(
  received: string,
  isFirstToHead = false,
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
    rest = rest.slice(headLength);
    const isToHead = isFirstToHead && responses.length === 0;
    const isEmpty = isToHead || status < 200 || [204, 304].includes(status);
    // Without a length, it ends with the connection
    const length = isEmpty ? 0 : Number(headers["content-length"] ?? rest.length);
    const body = rest.slice(0, length);
    const isChunked = headers["transfer-encoding"] === "chunked";
    const isCut = isChunked && !`\r\n${body}`.endsWith("\r\n0\r\n\r\n");
    responses.push({ status, headers, body, complete: body.length === length && !isCut });
    rest = rest.slice(length);
  }
}
