// Compiles TypeScript like ts-node, but keeps the result for later processes: loading the compiler
// takes longer than most processes of the tests run
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { version } = require("typescript/package.json");

const cache = path.join(__dirname, "../../node_modules/.cache/softy-pinko-tests");

require.extensions[".ts"] = (module, file) => {
  const source = readFileSync(file, "utf8");
  const key = createHash("sha256").update(version).update(source).digest("hex");
  const compiled = path.join(cache, `${key}.js`);
  module._compile(read(compiled) ?? compile(source, compiled), file);
};

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function compile(source, compiled) {
  const { ModuleKind, ScriptTarget, transpile } = require("typescript");
  const options = {
    module: ModuleKind.CommonJS,
    target: ScriptTarget.ES2023,
    esModuleInterop: true,
  };
  const code = transpile(source, options);
  try {
    mkdirSync(cache, { recursive: true });
    // Other processes never read half a file
    writeFileSync(`${compiled}.${process.pid}`, code);
    renameSync(`${compiled}.${process.pid}`, compiled);
  } catch {
    // A user who may not write there compiles each time
  }
  return code;
}
