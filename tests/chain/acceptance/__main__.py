"""`make besu-acceptance`: the promises that dispatcher, projector and verifier rely on, held to a network of yours.

Looks first and sends nothing; says what it is about to do; sends from accounts of its own alone; prints what held.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.chain.acceptance.plugin import Listener
from tests.chain.acceptance.preflight import Seen, look, require_senders
from tests.chain.acceptance.report import in_words, write_report
from tests.chain.acceptance.unknown import Unknown
from tests.chain.given import FOLDER, OPTION, GivenNetwork, GivenNetworkError, read_given

FILES = (
    "tests/chain/test_chain_promises.py",
    "tests/chain/test_pool_promises.py",
    "tests/chain/test_refusals_of_besu.py",
    "tests/chain/test_seals_of_a_network.py",
    "tests/integration/contracts/test_on_a_given_network.py",
)
MISUSE = 2
USAGE = """\
  CHAIN_RPC_URLS=http://192.0.2.10:8545,http://192.0.2.20:8545 CHAIN_ID=20262 make besu-acceptance

  CHAIN_RPC_URLS           HTTP addresses of one node or several of one network
  CHAIN_ID                 the network's chain id: by naming it you agree that transactions are sent there
  CHAIN_RPC_TOKEN_FILE     file with a token (mode 0600), or one a node, separated by commas, where they ask for one
  CHAIN_RPC_JWT_KEY_FILE   or the RSA private key whose public half the nodes have; one, or one a node
  BESU_GENESIS             the network's genesis.json, where its nodes have pruned the state of block 0
  BESU_ACCEPTANCE_FOLDER   where the keys of its accounts are kept (default .local/besu-acceptance)
  ARGS=--look              look at the network and end; nothing is sent (what else stands there goes to pytest)
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make besu-acceptance", description=__doc__)
    parser.add_argument("--look", action="store_true", help="look at the network and end; nothing is sent")
    options, rest = parser.parse_known_args(arguments)
    try:
        given = read_given(os.environ, FOLDER)
        seen = look(given)
        _say(given, seen)
        if options.look:
            return 0
        require_senders(given)
    except GivenNetworkError as error:
        sys.stderr.write(f"{error}\n\n{USAGE}")
        return MISUSE
    return _run(seen, FOLDER / "report.json", rest)


def _say(given: GivenNetwork, seen: Seen) -> None:
    lines = [f"{address}: {version}" for address, version in seen.versions.items()]
    lines += [
        f"Chain {given.chain_id} at block {seen.height}, genesis {seen.genesis}.",
        f"Its validators: {seen.mode}.",
        "The suite sends some 1,500 small transactions and 50 creations of contracts, without price or value, from the",
        "accounts below and no others. What they leave stays in the network's history. Validators and allow-lists are",
        "not touched.",
        *(f"  {relay.address}" for relay in given.relays),
    ]
    _tell(lines)


def _run(seen: Seen, path: Path, rest: list[str]) -> int:
    listener = Listener()
    unknown = Unknown()
    options = [OPTION, "-n", "0", "-q", "--no-header", "--tb=short", "--timeout=900", "--durations-min=60"]
    with unknown.heard():
        status = pytest.main([*FILES, *options, *rest], plugins=[listener])
    write_report(path, seen, listener.told, unknown.answers)
    _tell(["", *in_words(seen, listener.told, unknown.answers), f"The same as JSON: {path}"])
    return int(status)


def _tell(lines: Iterable[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
