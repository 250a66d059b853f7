// node by-the-clock.ts URL RATE SECONDS WARM-UP TIMEOUT: an open-loop load. Requests are due at a fixed
// rate, whether or not earlier ones have a response, and latency counts from then. Prints a line for
// each: its status, microseconds until the last byte, microseconds sent late. The status is 0 without a
// response when the timeout after the last request is over. Sockets instead of node:http leave more CPU
// time to the stack.
import { connect, type Socket } from "node:net";

const [url = "", ...figures] = process.argv.slice(2);
const { host, hostname, port, pathname } = new URL(url);
const [rate = 0, seconds = 0, warmUp = 0, timeout = 0] = figures.map(Number);
/** Below the 360 requests in progress that production accepts from one address. */
const maxConnections = 340;
const message = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: by-the-clock\r\n\r\n`;

interface Connection {
  socket: Socket;
  received: string;
  /** When the request in progress was due. */
  dueMs: number | undefined;
  lateMs: number;
}

const rows: string[] = [];
const idle: Connection[] = [];
const all = new Set<Connection>();
const last = Math.round((warmUp + seconds) * rate);
let count = 0;
let inProgress = 0;
/** Whether requests wait for a connection, and when they last did: that is not the generator's delay. */
let isFull = false;
let fullUntilMs = 0;
const start = performance.now();
const now = (): number => performance.now() - start;
const dueMs = (): number => (count * 1_000) / rate;

function open(): Connection {
  // `onread` passes by the stream's queue
  const buffer = Buffer.alloc(4_096);
  const callback = (bytes: number): boolean => {
    read(connection, buffer.toString("latin1", 0, bytes));
    return true;
  };
  const onread = { buffer, callback };
  const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true, onread });
  const connection: Connection = { socket, received: "", dueMs: undefined, lateMs: 0 };
  all.add(connection);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    all.delete(connection);
    const position = idle.indexOf(connection);
    if (position >= 0) idle.splice(position, 1);
    finish(connection, 0);
  });
  return connection;
}

function read(connection: Connection, chunk: string): void {
  connection.received += chunk;
  const { received, socket } = connection;
  const bodyStart = received.indexOf("\r\n\r\n") + 4;
  if (bodyStart < 4) return;
  const head = received.slice(0, bodyStart);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`a response without Content-Length:\n${head}`);
  if (received.length < bodyStart + Number(length)) return;
  connection.received = "";
  finish(connection, Number(head.slice(9, 12)));
  if (/\r\nconnection: *close/i.test(head)) socket.destroy();
  else idle.push(connection);
  sendDue();
}

function finish(connection: Connection, status: number): void {
  if (connection.dueMs === undefined) return;
  const micros = [now() - connection.dueMs, connection.lateMs].map((ms) => Math.round(ms * 1_000));
  if (connection.dueMs >= warmUp * 1_000) rows.push([status, ...micros].join("\t"));
  connection.dueMs = undefined;
  inProgress -= 1;
}

function sendDue(): void {
  while (count < last && dueMs() <= now()) {
    const connection = idle.pop() ?? (all.size < maxConnections ? open() : undefined);
    if (connection === undefined) {
      isFull = true;
      return;
    }
    if (isFull) fullUntilMs = now();
    isFull = false;
    connection.dueMs = dueMs();
    connection.lateMs = now() - Math.max(connection.dueMs, fullUntilMs);
    connection.socket.write(message, "latin1");
    count += 1;
    inProgress += 1;
  }
}

function tick(): void {
  sendDue();
  const isOver = now() > (warmUp + seconds + timeout) * 1_000;
  if ((count < last || inProgress > 0) && !isOver) setTimeout(tick, Math.max(1, dueMs() - now()));
  else {
    for (const connection of all) {
      finish(connection, 0);
      connection.socket.destroy();
    }
    // What was not even sent has failed, too
    const unsent = Array.from({ length: last - count }, () => `0\t${timeout * 1e6}\t0`);
    process.stdout.write([...rows, ...unsent, ""].join("\n"));
  }
}
tick();
