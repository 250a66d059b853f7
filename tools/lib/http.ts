import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { type WaitOptions, waitUntil } from "./wait";

/** A response, or the error instead of one. */
export interface Answer {
  /** Undefined if there is no response. */
  status: number | undefined;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
  /** Milliseconds from sending the request to the last byte. */
  ms: number;
  /** Why there is no response. */
  error?: string;
}

const maxBodyBytes = 5_000_000;

const maxInformational = 100;

export interface Request {
  method?: string;
  headers?: Record<string, string>;
  agent?: Agent;
  /** The certificate to trust, for an https address. By default those that Node.js trusts. */
  ca?: string | undefined;
  /** For this machine, where the certificate can be self-signed or for another name. */
  anyCertificate?: boolean;
  timeoutMs?: number;
}

/**
 * Sends a request and reads the whole response. The timeout applies to the whole exchange; a body
 * above 5 MB is an error.
 * @param url An http or https address.
 * @returns The response; if it is refused, malformed, incomplete or late, an `error` and no status.
 *   A response 101 has no body: the connection is closed. Never throws.
 */
export function fetchAnswer(url: string, options: Request = {}): Promise<Answer> {
  const { method = "GET", headers = {}, agent, ca, timeoutMs = 10_000 } = options;
  const rejectUnauthorized = options.anyCertificate !== true;
  const request = url.startsWith("https:") ? httpsRequest : httpRequest;
  const start = performance.now();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sent: ClientRequest | undefined;
    const settle = (answer: Pick<Answer, "status" | "headers" | "error">): void => {
      clearTimeout(timer);
      const body = Buffer.concat(chunks).toString();
      resolve({ ...answer, body, ms: performance.now() - start });
    };
    const fail = (error: string): void => {
      settle({ status: undefined, headers: {}, error });
      sent?.destroy();
    };
    const failWith = ({ message, code = "" }: NodeJS.ErrnoException): void => fail(message || code);
    const switchProtocols = ({ headers }: Pick<IncomingMessage, "headers">): void => {
      settle({ status: 101, headers });
      sent?.destroy();
    };
    const timer = setTimeout(() => fail(`timed out after ${timeoutMs / 1000} s`), timeoutMs);
    try {
      sent = request(url, { method, headers, agent, ca, rejectUnauthorized });
    } catch (error) {
      failWith(error as Error);
      return;
    }

    let informational = 0;
    let hasResponse = false;
    sent.on("information", (info) => {
      informational += 1;
      // Without the header Upgrade, Node.js treats 101 as an informational response
      if (info.statusCode === 101) switchProtocols(info);
      if (informational > maxInformational) fail("too many informational responses");
    });
    sent.on("upgrade", switchProtocols);
    sent.on("response", (response) => {
      hasResponse = true;
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBodyBytes) fail(`the body has more than ${maxBodyBytes / 1e6} MB`);
        else chunks.push(chunk);
      });
      response.on("end", () => settle({ status: response.statusCode, headers: response.headers }));
      response.on("error", failWith);
      response.on("close", () => fail("the connection was closed"));
    });
    sent.on("error", failWith);
    sent.on("close", () => {
      // The end of a response may still have to be read
      if (!hasResponse) fail("the connection was closed");
    });
    sent.end();
  });
}

/** Waits until a URL of this machine returns status 200. @throws {Error} after the timeout. */
export async function waitUntilServed(
  url: string,
  options: Omit<WaitOptions, "for">,
): Promise<void> {
  const isServed = async (): Promise<boolean> =>
    (await fetchAnswer(url, { anyCertificate: true })).status === 200;
  await waitUntil(isServed, { ...options, for: `status 200 from ${url}` });
}
