"""Commands about consents: import, status, withdraw, erase, epoch."""

import argparse
import asyncio
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.terminal import add_person, prove, say
from agent.consents.loop import ConsentLoop
from agent.consents.office import ConsentOffice
from agent.consents.withdrawals import WithdrawalRequest
from agent.people import Role
from agent.site import open_site
from consent.domain.documents import REASONS
from consortium.kernel.errors import ConsiliumError, InvalidInputError

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands

MAX_ERRORS_SHOWN = 50


def add_to(commands: "Subcommands") -> None:
    """Add consents."""
    consents = commands.add_parser("consents", help="the member's consents").add_subparsers(
        required=True, metavar="COMMAND"
    )
    importing = consents.add_parser("import", help="take FHIR R4 Consents from an NDJSON file, or a consent CSV")
    importing.add_argument("file", type=Path, metavar="FILE")
    add_consortium(importing)
    importing.set_defaults(command=_import)
    status = consents.add_parser("status", help="show numbers, epochs and what waits")
    status.set_defaults(command=_status)
    withdraw = consents.add_parser("withdraw", help="withdraw a subject's consents from now on")
    withdraw.add_argument("record", metavar="RECORD", help="the subject's id in the member's own records")
    withdraw.add_argument("--reason", choices=REASONS, default="subject_request")
    withdraw.add_argument("--with-next-epoch", action="store_true", help="do not revoke urgently on the chain")
    add_person(withdraw)
    withdraw.set_defaults(command=_withdraw)
    erase = consents.add_parser("erase", help="delete a subject's salts, consents and links for good")
    erase.add_argument("record", metavar="RECORD")
    add_person(erase)
    erase.set_defaults(command=_erase)
    epoch = consents.add_parser("epoch", help="anchor the present state of consents")
    epoch.set_defaults(command=_epoch)


def add_consortium(parser: argparse.ArgumentParser) -> None:
    """Let a command be limited to one consortium."""
    help_text = "for this consortium (default: every one of this site)"
    parser.add_argument("--consortium", metavar="UUID", help=help_text)


def _import(args: argparse.Namespace) -> int:
    office = ConsentOffice(open_site(args.folder))
    report = office.importer.import_file(
        args.file, consortia=consortia_of(office, args), progress=lambda lines: say(f"{lines} lines read")
    )
    office.site.journal.record(
        "import", "done", lines=report.lines, accepted=report.accepted, refused=len(report.refused)
    )
    say(f"{report.accepted} of {report.lines} consents taken, {len(report.refused)} refused.")
    for error in report.refused[:MAX_ERRORS_SHOWN]:
        say(str(error))
    if len(report.refused) > MAX_ERRORS_SHOWN:
        say(f"and {len(report.refused) - MAX_ERRORS_SHOWN} more")
    deliver(office)
    return 1 if report.refused else 0


def _status(args: argparse.Namespace) -> int:
    office = ConsentOffice(open_site(args.folder))
    for name, count in office.store.numbers().items():
        say(f"{name}: {count}")
    for consortium in office.store.consortia():
        last = office.anchoring.anchors.last_landed(consortium)
        on_its_way = office.anchoring.anchors.on_its_way(consortium)
        shown = "no epoch yet" if last is None else f"epoch {last.epoch}, entry {last.seq}"
        say(f"consortium {consortium}: {shown}" + (", the next entry is on its way" if on_its_way else ""))
    say(f"{len(office.mail.waiting())} messages wait for the platform")
    refused = office.mail.refused()
    for path, reason in refused:
        say(f"the platform refused {path}: {reason}")
    return 1 if refused else 0


def _withdraw(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    prove(site, args).require(Role.STEWARD)
    office = ConsentOffice(site)
    request = WithdrawalRequest(
        office.withdrawals.pseudonym_of(args.record), args.reason, is_urgent=not args.with_next_epoch
    )
    withdrawn = office.withdrawals.withdraw(request)
    say(f"Withdrawn: {len(withdrawn.consents)} consents, receipt {withdrawn.id}. No cohort holds the subject any more.")
    deliver(office)
    return 0


def _erase(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    prove(site, args).require(Role.STEWARD)
    office = ConsentOffice(site)
    erased = office.eraser.erase(office.withdrawals.pseudonym_of(args.record))
    say(f"Erased. {len(erased.runs)} runs had the subject in a cohort: {', '.join(map(str, erased.runs)) or 'none'}")
    deliver(office)
    return 0


def _epoch(args: argparse.Namespace) -> int:
    office = ConsentOffice(open_site(args.folder))
    office.anchoring.effects.wish_epoch(office.store.consortia())
    for consortium, step in asyncio.run(_go_round(office)).items():
        say(f"consortium {consortium}: {step}")
    return 0


def consortia_of(office: ConsentOffice, args: argparse.Namespace) -> list[uuid.UUID]:
    """Return the consortium that was named, else every one that the site is active in."""
    if args.consortium is not None:
        try:
            return [uuid.UUID(args.consortium)]
        except ValueError as error:
            raise InvalidInputError("A consortium is named by its UUID.") from error
    return asyncio.run(_active(office))


async def _active(office: ConsentOffice) -> list[uuid.UUID]:
    known = office.store.consortia()
    try:
        async with office.site.client() as client:
            return [one.id for one in await client.consortia() if one.status == "active"]
    except ConsiliumError:
        if known:
            return known
        raise


async def _go_round(office: ConsentOffice) -> dict[uuid.UUID, object]:
    async with office.site.client() as client:
        return dict(await ConsentLoop(office, client).go_round())


def deliver(office: ConsentOffice) -> None:
    """Hand over what was signed; what does not go now is sent by the running agent."""

    async def hand_over() -> int:
        async with office.site.client() as client:
            return await office.mail.deliver(client)

    if waiting := asyncio.run(hand_over()):
        say(f"{waiting} messages wait for the platform; the running agent sends them.")
