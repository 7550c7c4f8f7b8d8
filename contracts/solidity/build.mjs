// Compiles the contracts with the npm package `solc` and writes one artifact a contract to contracts/abi.
//
//     node contracts/solidity/build.mjs            write the artifacts
//     node contracts/solidity/build.mjs --check    compare them with the sources; exit status 1 names what differs
//
// The same sources give the same bytes on every machine: the compiler's version is locked by package-lock.json, source
// names are relative, and the metadata hash is left out of the bytecode.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const modules = join(root, "node_modules");
const artifactFolder = join(here, "..", "abi");

const CONTRACTS = {
  "src/ValidatorSource.sol": "ValidatorSource",
  "src/ConsortiumRegistry.sol": "ConsortiumRegistry",
  "src/ConsortiumGovernor.sol": "ConsortiumGovernor",
  "src/Guardian.sol": "Guardian",
  "src/DecisionBoard.sol": "DecisionBoard",
  "src/ConsentAnchor.sol": "ConsentAnchor",
  "src/TrainingLedger.sol": "TrainingLedger",
  "src/ModelRegistry.sol": "ModelRegistry",
  "src/AuditAnchor.sol": "AuditAnchor",
  "src/CrossConsortiumInbox.sol": "CrossConsortiumInbox",
  "@openzeppelin/contracts/governance/TimelockController.sol": "TimelockController",
};
// whose slots somebody else reads or writes: the genesis builder, and storage proofs
const WITH_STORAGE_LAYOUT = new Set(["ValidatorSource", "ConsortiumRegistry"]);

const SETTINGS = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  viaIR: false,
  metadata: { bytecodeHash: "none", appendCBOR: true },
};
const OUTPUTS = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"];

function readSource(name) {
  const file = join(name.startsWith("@") ? modules : here, name);
  return existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `no such source: ${name}` };
}

function compile() {
  const solc = createRequire(import.meta.url)(join(modules, "solc"));
  const sources = Object.fromEntries(Object.keys(CONTRACTS).map((name) => [name, { content: readSource(name).contents }]));
  const input = { language: "Solidity", sources, settings: { ...SETTINGS, outputSelection: { "*": { "*": OUTPUTS } } } };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readSource }));
  const errors = (output.errors ?? []).filter((problem) => problem.severity === "error");
  if (errors.length) throw new Error(errors.map((problem) => problem.formattedMessage).join("\n"));
  return { version: solc.version().replace(".Emscripten.clang", ""), contracts: output.contracts };
}

function layoutOf(layout) {
  // AST ids in the types change with every source that is added: names and slots are what matters
  const plain = (type) => type.replace(/\)\d+_storage/g, ")_storage").replace(/(\))\d+/g, "$1");
  return layout.storage.map(({ label, slot, offset, type }) => ({ label, slot, offset, type: plain(type) }));
}

function artifactOf(version, name, compiled) {
  const metadata = JSON.parse(compiled.metadata);
  const sources = Object.entries(metadata.sources).sort(([a], [b]) => (a < b ? -1 : 1));
  const runtime = compiled.evm.deployedBytecode;
  return {
    contractName: name,
    abi: compiled.abi,
    bytecode: `0x${compiled.evm.bytecode.object}`,
    deployedBytecode: `0x${runtime.object}`,
    immutableReferences: Object.values(runtime.immutableReferences ?? {}).flat().sort((a, b) => a.start - b.start),
    ...(WITH_STORAGE_LAYOUT.has(name) ? { storageLayout: layoutOf(compiled.storageLayout) } : {}),
    compiler: { version, settings: SETTINGS },
    sources: Object.fromEntries(sources.map(([path, { keccak256 }]) => [path, keccak256])),
  };
}

function buildArtifacts() {
  const { version, contracts } = compile();
  return Object.entries(CONTRACTS).map(([path, name]) => {
    const text = JSON.stringify(artifactOf(version, name, contracts[path][name]), null, 1) + "\n";
    return [join(artifactFolder, `${name}.json`), text];
  });
}

function differences(artifacts) {
  const expected = new Map(artifacts);
  const changed = artifacts.filter(([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text);
  const present = existsSync(artifactFolder) ? readdirSync(artifactFolder) : [];
  const orphans = present.map((name) => join(artifactFolder, name)).filter((file) => file.endsWith(".json") && !expected.has(file));
  return [...changed.map(([file]) => file), ...orphans].map((file) => relative(root, file).split(sep).join("/"));
}

function main(args) {
  const artifacts = buildArtifacts();
  if (args.includes("--check")) {
    const files = differences(artifacts);
    files.forEach((file) => console.error(`${file} differs from the sources: run 'node contracts/solidity/build.mjs'`));
    process.exitCode = files.length ? 1 : 0;
    return;
  }
  mkdirSync(artifactFolder, { recursive: true });
  artifacts.forEach(([file, text]) => writeFileSync(file, text));
}

main(process.argv.slice(2));
