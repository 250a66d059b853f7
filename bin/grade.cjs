#!/usr/bin/env node

// The grader where this project is a package, as with npx: its TypeScript is compiled as it is
// loaded, by this package's own settings, whatever folder it is called from
const path = require("node:path");

// As `--disable-warning=ExperimentalWarning`, which needs `env -S`: BusyBox, as in Alpine, has none
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  if (rest[0] !== "ExperimentalWarning") emitWarning(warning, ...rest);
};

require("ts-node").register({
  cwd: __dirname,
  project: path.join(__dirname, "../tsconfig.json"),
  transpileOnly: true,
});
require("../tools/grader/cli.ts");
