// Compiles Counter.sol into Counter.json: run it from the project's root after a change of the source.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");
const folder = new URL(".", import.meta.url);
const answer = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { "Counter.sol": { content: readFileSync(new URL("Counter.sol", folder), "utf8") } },
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
const { abi, evm } = answer.contracts["Counter.sol"].Counter;
const artifact = { contractName: "Counter", abi, bytecode: `0x${evm.bytecode.object}` };
writeFileSync(new URL("Counter.json", folder), `${JSON.stringify(artifact, null, 1)}\n`);
