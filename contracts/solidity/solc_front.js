// A command line for the npm package `solc` (WebAssembly) as far as forge needs one: --version and --standard-json.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..", "..");
const solc = require(path.join(root, "node_modules", "solc"));

function searchPaths(args) {
  const paths = [process.cwd()];
  args.forEach((arg, i) => {
    if (arg === "--base-path") paths[0] = path.resolve(args[i + 1]);
    if (arg === "--include-path") paths.push(path.resolve(args[i + 1]));
  });
  return paths;
}

function reader(paths) {
  return (name) => {
    const file = paths.map((base) => path.resolve(base, name)).find((candidate) => fs.existsSync(candidate));
    return file ? { contents: fs.readFileSync(file, "utf8") } : { error: `file not found: ${name}` };
  };
}

function main(args) {
  if (args.includes("--version")) {
    const version = solc.version().replace("Emscripten.clang", "Linux.g++");
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
  } else if (args.includes("--standard-json")) {
    const file = args.find((arg) => !arg.startsWith("-") && arg.endsWith(".json"));
    const input = fs.readFileSync(file ?? 0, "utf8");
    // never process.exit() here: it cuts piped output at 64 to 128 KiB
    process.stdout.write(solc.compile(input, { import: reader(searchPaths(args)) }) + "\n");
  } else {
    process.stderr.write(`unsupported arguments: ${args.join(" ")}\n`);
    process.exitCode = 1;
  }
}

main(process.argv.slice(2));
