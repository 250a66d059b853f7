import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from "express";
import morgan from "morgan";
import { contentSecurityPolicy, countedPage, problemPage, welcomePage } from "./pages";
import { NotACount, type Store, StoreUnavailable } from "./store";

/**
 * The routes: `/`, `/count` and `/health`.
 * @param store Where the visits are counted.
 */
export function createApp(store: Store): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(setHeaders);

  // Asked by the health check every few seconds, so it stands before the log. That the store is
  // away does not make this process ill: a restart would not bring it back.
  app.get("/health", async (_request, response) => {
    const isReachable = await store.isReachable();
    response.json({ webapp: "alive", store: isReachable ? "reachable" : "unreachable" });
  });

  // One line for each request, in the common log format
  app.use(morgan("common"));

  app.get("/", async (_request, response) => {
    response.send(welcomePage(await store.current().catch(unavailable)));
  });

  app
    .route("/count")
    // Express would answer HEAD by the handler for GET, and count a visit that nobody sees
    .head(refuseMethod)
    .get(async (request, response) => {
      // Nor is it a visit when a browser loads the page in case somebody opens it
      if (request.get("Sec-Purpose")?.startsWith("prefetch")) {
        response.status(503).end();
        return;
      }
      const count = await store.count();
      answer(response, {
        text: `You are visitor number ${count}.`,
        html: countedPage(count),
        // As digits: JavaScript's numbers are exact only up to 2^53
        json: `{"count":${count}}`,
      });
    })
    .all(refuseMethod);

  app.use((_request, response) => {
    response.status(404).type("text/plain").send("Not Found\n");
  });
  app.use(answerError);
  return app;
}

const setHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    "Cache-Control": "no-store",
    "Content-Security-Policy": contentSecurityPolicy,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  next();
};

const refuseMethod: RequestHandler = (_request, response) => {
  response.status(405).set("Allow", "GET").type("text/plain").send("Only GET counts a visit\n");
};

/** Sends the form that the client asked for by `Accept`; text where it asked for none of them. */
function answer(response: Response, forms: { text: string; html: string; json: string }): void {
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

const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof StoreUnavailable) {
    response.status(503).set("Retry-After", "1");
    answerProblem(
      response,
      "The store does not answer, so your visit may not have been counted. Try again.",
    );
  } else if (error instanceof NotACount) {
    logDamage(error);
    response.status(500);
    answerProblem(response, "The count is damaged. It was left as it is until somebody looks.");
  } else {
    next(error);
  }
};

function answerProblem(response: Response, problem: string): void {
  answer(response, {
    text: problem,
    html: problemPage(problem),
    json: JSON.stringify({ error: problem }),
  });
}

/** Stands in for the count on a page that does without. */
function unavailable(error: unknown): undefined {
  if (error instanceof NotACount) logDamage(error);
  else if (!(error instanceof StoreUnavailable)) throw error;
}

function logDamage({ message }: NotACount): void {
  console.error(`The stored count is damaged and was not touched: ${message}`);
}
