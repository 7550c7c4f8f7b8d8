// Compiles the contracts here, one JSON each: run it from the project's root after a change of a source.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");
const folder = new URL(".", import.meta.url);

function compile(name) {
  const answer = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: "Solidity",
        sources: { [`${name}.sol`]: { content: readFileSync(new URL(`${name}.sol`, folder), "utf8") } },
        settings: {
          evmVersion: "cancun",
          optimizer: { enabled: true, runs: 200 },
          metadata: { bytecodeHash: "none" },
          outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
        },
      }),
    ),
  );
  for (const fault of answer.errors ?? []) console.error(fault.formattedMessage);
  const { abi, evm } = answer.contracts[`${name}.sol`][name];
  const artifact = { contractName: name, abi, bytecode: `0x${evm.bytecode.object}` };
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(artifact, null, 1)}\n`);
}

["Counter", "Neighbors"].forEach(compile);
