import { randomUUID } from "node:crypto";
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from "express";
import morgan from "morgan";
import { contentSecurityPolicy, countedPage, problemPage, welcomePage } from "./pages";
import { InvalidCount, type Store, StoreUnavailable } from "./store";

/** Creates the routes `/`, `/count` and `/health`. */
export function createApp(store: Store): Express {
  const app = express();
  // Match paths exactly, as nginx does: /count/ and /COUNT are different paths
  app.enable("strict routing");
  app.enable("case sensitive routing");
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(setHeaders);

  // Before the log, which would otherwise fill with health checks. Always 200, because a restart of
  // the webapp would not bring Redis back
  app
    .route("/health")
    .get(async (_request, response) => {
      const isReachable = await store.isReachable();
      response.json({ webapp: "alive", store: isReachable ? "reachable" : "unreachable" });
    })
    .all(refuseMethod("GET, HEAD"));

  // Log one line for each request, in the common log format
  app.use(morgan("common"));

  app
    .route("/")
    .get(async (_request, response) => {
      response.send(welcomePage(await store.current().catch(withoutCount)));
    })
    .all(refuseMethod("GET, HEAD"));

  app
    .route("/count")
    // Without this, Express handles HEAD like GET, and would count it
    .head(refuseMethod("GET"))
    .get(async (request, response) => {
      // A browser loads the page in advance, before anyone visits it
      if (request.get("Sec-Purpose")?.startsWith("prefetch")) {
        response.status(503).end();
        return;
      }
      const count = await store.count(request.get("X-Request-ID") ?? randomUUID());
      sendForm(response, {
        text: `You are visitor number ${count}.`,
        html: countedPage(count),
        // Digits, because numbers in JavaScript are exact only up to 2^53
        json: `{"count":${count}}`,
      });
    })
    .all(refuseMethod("GET"));

  app.use((_request, response) => {
    response.status(404).type("text/plain").send("Not Found\n");
  });
  app.use(handleError);
  return app;
}

const setHeaders: RequestHandler = (request, response, next) => {
  // Each response is new: for `If-None-Match: *`, Express would count a visit and not send its number
  delete request.headers["if-none-match"];
  // nginx sets the other headers, for its own errors as well
  response.set("Content-Security-Policy", contentSecurityPolicy);
  next();
};

const refuseMethod =
  (allowed: string): RequestHandler =>
  (_request, response) => {
    response.status(405).set("Allow", allowed).type("text/plain").send(`Use ${allowed}\n`);
  };

/** Sends the form that the request's `Accept` header asks for; text by default. */
function sendForm(response: Response, forms: { text: string; html: string; json: string }): void {
  const sendText = (): void => {
    response.type("text/plain").send(`${forms.text}\n`);
  };
  response.format({
    "text/plain": sendText,
    "text/html": () => response.send(forms.html),
    "application/json": () => response.send(`${forms.json}\n`),
    default: sendText,
  });
}

const handleError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof StoreUnavailable) {
    response.status(503);
    sendProblem(
      response,
      "Redis is unavailable, so your visit may not have been counted. Try again.",
    );
  } else if (error instanceof InvalidCount) {
    logInvalidCount(error);
    response.status(500);
    sendProblem(response, "The stored value is not a count, so your visit was not counted.");
  } else {
    next(error);
  }
};

function sendProblem(response: Response, problem: string): void {
  const json = JSON.stringify({ error: problem });
  sendForm(response, { text: problem, html: problemPage(problem), json });
}

/** Lets a page do without the count. */
function withoutCount(error: unknown): undefined {
  if (error instanceof InvalidCount) logInvalidCount(error);
  else if (!(error instanceof StoreUnavailable)) throw error;
}

function logInvalidCount({ message }: InvalidCount): void {
  console.error(`The key "visits" in Redis is left unchanged: ${message}`);
}
