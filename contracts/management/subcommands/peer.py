"""`chain peer`: exchange releases and recalls of models with another consortium, by proof."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, OutputWrapper
from django.db import transaction

from consortium.common.tenancy import WrongDatabaseRoleError, act_for_all
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from contracts.chain import chain_from_settings
from contracts.crosschain.anchors import Anchor, anchor_at
from contracts.crosschain.asking import INBOX, ask
from contracts.crosschain.documents import anchor_text, parse_anchor
from contracts.crosschain.exchange import InboxCall, calls_to_deliver
from contracts.models import ContractDeployment
from contracts.rpc.tokens import READING, token_source

HELP = "Exchange releases and recalls of models with another consortium, by proof."
DESCRIPTION = (
    HELP + " `anchor` prints what the other consortium votes for; `open` begins a peer that was voted for here; "
    "`deliver` carries one transaction of the other chain's ModelRegistry over. Nobody is trusted: the contract checks."
    " Said again, either asks anew for what was refused, and shows why it was."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("act", choices=["anchor", "open", "deliver"])
    parser.add_argument("--consortium", required=True, type=UUID, metavar="ID", help="ours, by its id")
    parser.add_argument("--height", type=int, metavar="BLOCK", help="anchor: of which block; by default the newest")
    parser.add_argument("--anchor", type=Path, metavar="FILE", help="open, deliver: the other consortium's anchor")
    parser.add_argument("--node", metavar="URL", help="deliver: RPC of a node of the other chain")
    parser.add_argument("--node-token-file", default="", metavar="FILE", help="deliver: token for that node")
    parser.add_argument("--transaction", metavar="HASH", help="deliver: the transaction that released or recalled")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    try:
        with act_for_all():
            out.write({"anchor": _anchor, "open": _open, "deliver": _deliver}[options["act"]](options))
    except WrongDatabaseRoleError as error:
        raise CommandError("This is done as the system's database role. Use its DATABASE_URL.") from error
    except ConsiliumError as error:
        raise CommandError(error.message) from error


def _anchor(options: Mapping[str, Any]) -> str:
    from contracts.reading.evidence import evidence_from_settings

    chain, consortium = evidence_from_settings(), options["consortium"]
    height = chain.head().number if options["height"] is None else options["height"]
    models, source = (_deployment(consortium, name).address for name in ("ModelRegistry", "ValidatorSource"))
    return anchor_text(anchor_at(chain, models=models, source=source, height=height)).rstrip()


def _open(options: Mapping[str, Any]) -> str:
    anchor, chain = _given(options), chain_from_settings()
    registry = _deployment(options["consortium"], "ConsortiumRegistry")
    if not chain.call(registry.reference, "isPeer", anchor.peer):
        raise InvalidInputError(f"The members have not accepted 0x{anchor.peer.hex()}: propose the act set_peer first.")
    return _ask(options, [InboxCall("open", (anchor.struct,), f"peer:{anchor.peer.hex()}:open")])


def _deliver(options: Mapping[str, Any]) -> str:
    anchor, inbox = _given(options), _deployment(options["consortium"], INBOX)
    calls = calls_to_deliver(
        foreign_chain(options, anchor), chain_from_settings(), inbox.reference, anchor, _transaction(options)
    )
    return _ask(options, calls)


def foreign_chain(options: Mapping[str, Any], anchor: Anchor) -> Any:
    """The gateway to a node of the other chain."""
    from contracts.reading.evidence import EvidenceGateway

    if not options["node"]:
        raise InvalidInputError("Name a node of the other chain with --node.")
    tokens = token_source(options["node_token_file"], "", permissions=READING)
    return EvidenceGateway([options["node"]], chain_id=anchor.chain_id, tokens=tokens)


def _ask(options: Mapping[str, Any], calls: list[InboxCall]) -> str:
    """Enqueue in order; calls of one consortium are mined in the order in which they were asked for."""
    with transaction.atomic():
        asked = ask(options["consortium"], calls)
        return "\n".join(one.in_words() for one in asked)


def _given(options: Mapping[str, Any]) -> Anchor:
    if options["anchor"] is None:
        raise InvalidInputError("Name the other consortium's anchor with --anchor.")
    try:
        return parse_anchor(options["anchor"].read_bytes())
    except OSError as error:
        raise InvalidInputError(f"{options['anchor']} cannot be read.") from error


def _transaction(options: Mapping[str, Any]) -> bytes:
    written = str(options["transaction"] or "")
    try:
        found = bytes.fromhex(written.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise InvalidInputError("--transaction is 0x and 64 hexadecimal digits.")
    return found


def _deployment(consortium: UUID, name: str) -> ContractDeployment:
    found = ContractDeployment.objects.filter(consortium_id=consortium, name=name).first()
    if found is None:
        raise InvalidInputError(f"There is no consortium {consortium} with a {name} here.")
    return found
