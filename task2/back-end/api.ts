import express from "express";
import morgan from "morgan";

export const app = express();
// Match paths exactly, as Flask and nginx do: /api/hello/ and /API/hello are different paths
app.enable("strict routing");
app.enable("case sensitive routing");

// Log one line for each request, in the common log format
app.use(morgan("common"));

app.get("/api/hello", (_request, response) => {
  response.send("Hello, World!");
});

// Listen only when run, not when a test imports `app`
if (require.main === module) {
  const server = app.listen(5252, "0.0.0.0", (error) => {
    if (error) {
      console.error(`Cannot start: ${error.message}. Stop the program that uses the port.`);
      process.exit(1);
    }
    console.log("Listening on http://0.0.0.0:5252");
  });
  // Node.js is process 1 of its container, and Linux ignores a signal that process 1 does not handle
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => server.close().closeAllConnections());
  }
}
