"""Merkle-Patricia tries (yellow paper, appendix D): proofs that a key has a value or none, and roots built anew."""

from collections.abc import Mapping, Sequence

from consilium_verify.chain import rlp
from consilium_verify.ethereum import keccak256
from consilium_verify.findings import RefusedError

EMPTY_ROOT = keccak256(rlp.encode(b""))
_BRANCH, _SHORT_NODE = 17, 2
_Path = list[int]


def proven(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Return the value of a key under this root, or None if the proof shows that it has none.

    `nodes` are the encoded nodes from the root down, and none but them; for an empty trie there are none, or the
    encoding of an empty string.

    Raises
    ------
    RefusedError
        If a node is not the one that its parent names, or one is missing, malformed, or left over.
    """
    if root == EMPTY_ROOT:
        if list(nodes) not in ([], [b"\x80"]):
            raise RefusedError("the proof has nodes of a trie that is empty")
        return None
    value, rest = _walk(root, _nibbles(key), list(nodes))
    if rest:
        raise RefusedError("the proof goes on after the end of its path")
    return value


def trie_root(pairs: Mapping[bytes, bytes]) -> bytes:
    """Return the root of a trie of these keys and values; no key may begin with another one."""
    if not pairs:
        return EMPTY_ROOT
    return keccak256(rlp.encode(_node(sorted((_nibbles(key), value) for key, value in pairs.items()), 0)))


def list_root(values: Sequence[bytes]) -> bytes:
    """Return the root of a block's list of transactions or receipts, in their order."""
    return trie_root({list_key(index): value for index, value in enumerate(values)})


def list_key(index: int) -> bytes:
    """Return the key at which a block's tries hold the item of this index, from 0."""
    return rlp.encode(rlp.scalar(index))


def _walk(root: bytes, path: _Path, nodes: list[bytes]) -> tuple[bytes | None, list[bytes]]:
    """Follow the path; return the value and the nodes that were not needed."""
    link: rlp.Item = root
    while True:
        if link == b"":
            return None, nodes
        node = rlp.items(link) if not isinstance(link, bytes) else _opened(link, nodes)
        if len(node) == _BRANCH and not path:
            return rlp.string(node[16]) or None, nodes
        if len(node) == _BRANCH:
            link, path = node[path[0]], path[1:]
            continue
        leaf, part = _compact(node)
        if leaf:
            return (rlp.string(node[1]) if part == path else None), nodes
        if path[: len(part)] != part:
            return None, nodes
        link, path = node[1], path[len(part) :]


def _opened(link: bytes, nodes: list[bytes]) -> Sequence[rlp.Item]:
    """Take the next node of the proof, which must hash to the link that leads to it."""
    if not nodes:
        raise RefusedError("the proof ends early")
    encoded = nodes.pop(0)
    if keccak256(encoded) != link:
        raise RefusedError("a node of the proof is not the one that its parent or the root names")
    return rlp.items(rlp.decode(encoded))


def _compact(node: Sequence[rlp.Item]) -> tuple[bool, _Path]:
    """Return whether a node is a leaf, and its part of the path (hex prefix encoding)."""
    if len(node) != _SHORT_NODE:
        raise RefusedError("a node of the proof is neither branch, extension nor leaf")
    flag, *part = _nibbles(rlp.string(node[0])) or [4]
    if flag > 3 or (flag % 2 == 0 and part[:1] != [0]) or (flag < 2 and part[1 - flag :] == []):
        raise RefusedError("a node of the proof has a malformed path")
    return flag >= 2, part if flag % 2 else part[1:]


def _nibbles(data: bytes) -> _Path:
    return [nibble for byte in data for nibble in (byte >> 4, byte & 15)]


def _prefixed(path: _Path, leaf: bool) -> bytes:
    flag = 2 * leaf + len(path) % 2
    full = [flag, *path] if len(path) % 2 else [flag, 0, *path]
    return bytes(high << 4 | low for high, low in zip(full[::2], full[1::2], strict=True))


def _node(pairs: Sequence[tuple[_Path, bytes]], depth: int) -> list[rlp.Item]:
    """Build the node of these pairs, sorted, which share their first `depth` nibbles."""
    first, last = pairs[0][0], pairs[-1][0]
    if len(pairs) == 1:
        return [_prefixed(first[depth:], True), pairs[0][1]]
    common = depth
    while first[common] == last[common]:
        common += 1
    if common > depth:
        return [_prefixed(first[depth:common], False), _link(_node(pairs, common))]
    children: list[rlp.Item] = []
    for nibble in range(16):
        part = [pair for pair in pairs if pair[0][depth] == nibble]
        children.append(_link(_node(part, depth + 1)) if part else b"")
    return [*children, b""]


def _link(node: list[rlp.Item]) -> rlp.Item:
    encoded = rlp.encode(node)
    # A node shorter than a hash lies in its parent.
    return node if len(encoded) < 32 else keccak256(encoded)
