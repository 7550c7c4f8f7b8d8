"""Commands on the member's keys: show them, rotate one, look at the signers that hold them."""

import argparse
import asyncio
import time
from typing import TYPE_CHECKING

from agent.commands.terminal import add_person, prove, say, say_json
from agent.courier import Courier
from agent.keystore import KeyPurpose, address_in
from agent.people import Person
from agent.rotation import replacement
from agent.rotation_desk import checked_consortia
from agent.signing_check import look_at_keys
from agent.site import Site, open_site

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands

# A block a second, a dispatcher and a projector; a relay that is busy takes longer, and then one says it again.
DEFAULT_WAIT_SECONDS = 60
_LOOK_SECONDS = 0.5


def add_to(commands: "Subcommands") -> None:
    """Add keys and signer."""
    keys = commands.add_parser("keys", help="show or rotate the site's keys").add_subparsers(required=True)
    show = keys.add_parser("show", help="show the addresses; the keys themselves stay closed")
    show.add_argument("--json", action="store_true")
    show.set_defaults(command=_show)
    rotate = keys.add_parser("rotate", help="bring a new key, signed for by the vote key; say it again to finish")
    rotate.add_argument("purpose", choices=[purpose.value for purpose in KeyPurpose])
    rotate.add_argument("--identifier", default="", metavar="PUBLIC_KEY", help="a key that Web3Signer has loaded")
    rotate.add_argument(
        *("--by-vote",), action="store_true", help="make the new key and show the act that another member proposes"
    )
    rotate.add_argument("--wait", type=int, default=DEFAULT_WAIT_SECONDS, metavar="SECONDS", help="for the registry")
    add_person(rotate)
    rotate.set_defaults(command=_rotate)
    signer = commands.add_parser("signer", help="what holds the site's keys").add_subparsers(required=True)
    check = signer.add_parser("check", help="try each key, and hold it to what the registries list")
    check.add_argument("--json", action="store_true")
    check.set_defaults(command=_check)


def _show(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    remotes = {purpose: site.keyring.remote(purpose) for purpose in KeyPurpose}
    addresses = {
        purpose.value: remote.address if remote else address_in(site.folder, purpose)
        for purpose, remote in remotes.items()
    }
    if args.json:
        say_json(addresses)
    else:
        for purpose, address in addresses.items():
            say(f"{purpose} key {address}")
    return 0


def _rotate(args: argparse.Namespace) -> int:
    site, purpose = open_site(args.folder), KeyPurpose(args.purpose)
    person = prove(site, args)
    address = site.rotation.prepare(purpose, person=person, identifier=args.identifier)
    say(f"The new {purpose} key is {address}.")
    if args.by_vote:
        return _by_vote(site, purpose, address)
    if not site.pins.consortia():
        say("This site has checked no consortium yet. Say it again when the running agent has.")
        return 1
    asyncio.run(_hand_over(site, purpose, person))
    return _finish(site, purpose, args.wait)


async def _hand_over(site: Site, purpose: KeyPurpose, person: Person) -> None:
    async with site.client() as client:
        courier = Courier(client, site.letters)
        for consortium in await asyncio.to_thread(checked_consortia, site):
            letter = await asyncio.to_thread(site.rotation.sign, consortium, purpose, person=person)
            if letter is None:
                say(f"{consortium.name}: the registry lists it already.")
                continue
            delivered = await courier.deliver(letter)
            way = "handed to the platform" if delivered else "kept until the platform answers"
            say(f"{consortium.name}: signed {letter.digest}; {way}.")


def _finish(site: Site, purpose: KeyPurpose, seconds: int) -> int:
    deadline = time.monotonic() + seconds
    while not site.rotation.settle(purpose):
        if time.monotonic() >= deadline:
            say("Not every registry lists it yet; the old key signs there until one does. Say it again to finish.")
            return 1
        time.sleep(_LOOK_SECONDS)
    say("Every registry lists it. The old key is refused from that block on; destroy it when you like.")
    return 0


def _by_vote(site: Site, purpose: KeyPurpose, address: str) -> int:
    """Finish what was voted already, else show what another member is to propose."""
    if site.rotation.settle(purpose):
        say("The members have replaced it: every registry lists the new key.")
        return 0
    for consortium in site.pins.consortia():
        say_json(replacement(site.organization, purpose, address, consortium))
    say("Give this to another member; it proposes the act with: consilium-site propose FILE --as NAME")
    return 0


def _check(args: argparse.Namespace) -> int:
    findings = look_at_keys(open_site(args.folder))
    if args.json:
        say_json([{"code": one.code, "is_well": one.is_well, "text": one.text} for one in findings])
    else:
        for one in findings:
            say(f"[{'ok' if one.is_well else 'not well'}] {one.text}")
    return 0 if all(one.is_well for one in findings) else 1
