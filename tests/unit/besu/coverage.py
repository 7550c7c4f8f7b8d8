"""Recorded questions that the model does not answer, each with the reason. All others it answers as Besu did."""

import re

from tests.besu.recordings import Row

_NO_MACHINE = "there is no virtual machine here: calls are known from the recordings, or a test's own view answers"
_NO_TRIE = "there is no state trie here: proofs and slots are known from the recordings"
_SHORTENED = "the transaction is shortened in its row, and its key was thrown away"
_CONSTANT = "a fact of the node that recorded it, which no client of ours asks for"
_FILTERS = "filters live in one node's memory and are not used by any client of ours"
_TIMES = "the answer holds times and an order of the moment"
_LAYERED = "the model is of the SEQUENCED pool, which the ENTERPRISE profile has"
_HEADER = "the model is of a network in contract mode; header mode is in the verifier's recordings"
_LOGIN = "tokens come from a key of ours (public key mode), not from a node's credentials file"
_TRACES = "raw bytes and traces are not asked for by any client of ours"

# (file, what the label matches, reason)
NOT_COVERED: tuple[tuple[str, str, str], ...] = (
    ("rpc", r"eth_call (fail\w+|burn|unknown selector)", _NO_MACHINE),
    ("rpc", r"eth_estimateGas (fail\w+|burn|ok|with a block|creation .*)", _NO_MACHINE),
    ("rpc", r"eth_call (ok|getValidators|at an old block|pending|by block hash.*|with a state override)", _NO_MACHINE),
    ("rpc", r"eth_call with (a nonce far off|an unknown field)", _NO_MACHINE),
    ("rpc", r"eth_createAccessList", _NO_MACHINE),
    ("rpc", r"http: batch with mixed outcomes", _NO_MACHINE),
    ("rpc", r"storage, .*|proof, .*", _NO_TRIE),
    ("rpc", r"send: initcode of 49153 bytes", _SHORTENED),
    ("rpc", r"fee history|blob base fee|protocol version|modules|enode|net services|node info|peers", _CONSTANT),
    ("rpc", r"fork configuration", _CONSTANT),
    ("rpc", r"filter: .*", _FILTERS),
    ("rpc", r"pool: txpool_besuTransactions|pool: txpool_besuPendingTransactions", _TIMES),
    ("rpc", r"raw .*|trace.*", _TRACES),
    ("rpc", r"peer count of the spare node|mining, node of no validator", "asked of node 4: see the network's test"),
    ("rpc_more", r"(send|receipt): \d+ bytes of data|send: initcode of 49152 bytes", _SHORTENED),
    ("rpc_more", r"pool before a restart", "the creation that it counts is shortened in its row"),
    ("rpc_more", r"(send: )?layered pool.*", _LAYERED),
    ("rpc_more", r"header mode: .*", _HEADER),
    ("perm", r"logs with a limit of 10: (a filter over everything|logs of that filter)", _FILTERS),
    ("jwt", r"login: .*", _LOGIN),
)


def reason_for_leaving_out(row: Row) -> str | None:
    """Why the model does not answer this question; None where it does."""
    found = (why for file, pattern, why in NOT_COVERED if file == row.file and re.fullmatch(pattern, row.label))
    return next(found, None)
