#!/usr/bin/env -S node --disable-warning=ExperimentalWarning

// The grader where this project is a package, as with npx: its TypeScript is compiled as it is
// loaded, by this package's own settings, whatever folder it is called from
const path = require("node:path");

require("ts-node").register({
  cwd: __dirname,
  project: path.join(__dirname, "../tsconfig.json"),
  transpileOnly: true,
});
require("../tools/grader/cli.ts");
