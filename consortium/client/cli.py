"""`consilium`: a person's command line at the platform, for what the portal's pages have no form for."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consortium.client.drafting import CATEGORIES, RESEARCH, Wish, draft, preview
from consortium.client.session import Session, as_text, open_session, pick
from consortium.kernel.errors import ConsiliumError, InvalidInputError

URL, EMAIL, PHRASE_FILE = "CONSILIUM_URL", "CONSILIUM_EMAIL", "CONSILIUM_PASS_PHRASE_FILE"
MAX_BODY_BYTES = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 done, 1 refused, 2 misuse."""
    args = _parser().parse_args(arguments)
    try:
        with open_session(_required(args.url, URL), _required(args.email, EMAIL), _pass_phrase(args)) as session:
            args.command(session, args)
    except ConsiliumError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="consilium", description=__doc__)
    made.add_argument("--url", default=os.environ.get(URL), help=f"the platform's address (default: {URL})")
    made.add_argument("--email", default=os.environ.get(EMAIL), help=f"who you are there (default: {EMAIL})")
    made.add_argument(
        *("--pass-phrase-file",),
        type=Path,
        default=os.environ.get(PHRASE_FILE),
        help=f"file that holds your pass phrase (default: {PHRASE_FILE})",
    )
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    get = commands.add_parser("get", help="show an answer of the API, and wait for one if asked to")
    get.add_argument("path", help="below /api/v1/, for instance consortia")
    get.add_argument("--until", metavar="FIELD=VALUE[,VALUE]", help="ask again until the field has that value")
    get.add_argument("--within", type=float, default=300.0, metavar="SECONDS", help="how long (default 300)")
    get.set_defaults(command=_get)
    post = commands.add_parser("post", help="send a JSON file to the API")
    post.add_argument("path")
    post.add_argument("file", type=Path, metavar="FILE")
    post.set_defaults(command=_post)
    for one in (get, post):
        one.add_argument("--show", metavar="FIELD", help="only this field, for instance results.0.id")
    _add_draft(commands)
    return made


def _add_draft(commands: Any) -> None:
    plans = commands.add_parser("plans", help="training plans").add_subparsers(required=True, metavar="COMMAND")
    made = plans.add_parser("draft", help="write a plan for a data set that sites have registered; sends nothing")
    made.add_argument("--consortium", required=True, metavar="UUID")
    made.add_argument("--data-set", required=True, metavar="NAME")
    made.add_argument("--title", required=True)
    made.add_argument("--target", required=True, metavar="COLUMN", help="what is to be predicted")
    made.add_argument("--greater-than", type=float, metavar="NUMBER", help="of a numeric target: above it counts")
    made.add_argument("--equals", metavar="CATEGORY", help="of a categorical target: what counts")
    made.add_argument("--algorithm", default=Wish.algorithm, help="logistic_regression (default) or perceptron")
    made.add_argument("--hidden-units", type=int, default=Wish.hidden_units, help="of a perceptron (default 8)")
    made.add_argument("--features", default="", metavar="A,B,C", help="columns to learn from (default: all others)")
    made.add_argument("--sites", default="all", metavar="UUID,UUID", help="default: all that registered the data set")
    made.add_argument("--rounds", type=int, default=Wish.rounds)
    made.add_argument("--colluders", type=int, default=Wish.colluders, metavar="C", help="default 1")
    made.add_argument("--purpose", default=RESEARCH, metavar="DUO", help=f"default {RESEARCH}")
    made.add_argument("--categories", default=",".join(CATEGORIES), help="FHIR resource types of the data")
    made.add_argument("--out", type=Path, required=True, metavar="FILE", help="to be read, and then posted")
    made.set_defaults(command=_draft)


def _get(session: Session, args: argparse.Namespace) -> None:
    if args.until is None:
        return _say(session.get(args.path), args.show)
    field, sign, values = args.until.partition("=")
    if not sign:
        raise InvalidInputError("--until is written FIELD=VALUE.")
    return _say(session.wait(args.path, field, tuple(values.split(",")), seconds=args.within), args.show)


def _post(session: Session, args: argparse.Namespace) -> None:
    _say(session.post(args.path, _read(args.file)), args.show)


def _draft(session: Session, args: argparse.Namespace) -> None:
    wish = Wish(
        title=args.title,
        data_set=args.data_set,
        target=args.target,
        algorithm=args.algorithm,
        hidden_units=args.hidden_units,
        greater_than=args.greater_than,
        equals=args.equals,
        features=_split(args.features),
        sites=() if args.sites == "all" else _split(args.sites),
        rounds=args.rounds,
        colluders=args.colluders,
        purpose=args.purpose,
        categories=_split(args.categories),
    )
    consortium = _consortium(session, args.consortium)
    active = [member for member in consortium["members"] if member["status"] == "active"]
    members = [member["organization"] for member in active]
    plan = draft(wish, consortium=consortium["id"], members=members, data_sets=session.get("data-sets"))
    args.out.write_text(json.dumps({"document": plan.to_json()}, indent=1) + "\n")
    for line in preview(plan, {member["organization"]: _name(member) for member in active}):
        sys.stdout.write(f"{line}\n")


def _consortium(session: Session, identity: str) -> dict[str, Any]:
    found = [one for one in session.pages("consortia") if one["id"] == identity]
    if not found:
        raise InvalidInputError("Your organization is in no consortium of this id.")
    consortium: dict[str, Any] = found[0]
    return consortium


def _name(member: dict[str, Any]) -> str:
    return str(member.get("name") or member.get("organization_name") or member["organization"])


def _say(value: Any, field: str | None) -> None:
    shown = value if field is None else pick(value, field)
    is_tree = isinstance(shown, dict | list)
    sys.stdout.write((json.dumps(shown, indent=1, ensure_ascii=False) if is_tree else as_text(shown)) + "\n")


def _read(path: Path) -> Any:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BODY_BYTES:
            raise InvalidInputError(f"{path} is longer than {MAX_BODY_BYTES} bytes.")
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not a readable JSON file.") from error


def _pass_phrase(args: argparse.Namespace) -> str:
    path = Path(_required(args.pass_phrase_file, PHRASE_FILE))
    try:
        return path.read_text().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read. It holds your pass phrase at the platform.") from error


def _required(value: Any, variable: str) -> str:
    if not value:
        raise InvalidInputError(f"Set {variable}, or give the option.")
    return str(value)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


if __name__ == "__main__":
    sys.exit(main())
