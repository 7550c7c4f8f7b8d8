"""Commands on what this site gave to runs: exact counts, for the member's own eyes."""

import argparse
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.commands.terminal import say, say_json
from agent.site import Site, open_site
from agent.training.runs_folder import RunsFolder
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.manifests import CohortManifest

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands

_READS = 100_000


def add_to(commands: "Subcommands") -> None:
    """Add runs."""
    runs = commands.add_parser("runs", help="what this site committed to training").add_subparsers(
        required=True, metavar="COMMAND"
    )
    listing = runs.add_parser("list", help="list the runs")
    listing.set_defaults(command=_list)
    show = runs.add_parser("show", help="show each round's cohort: exact, and private to this member")
    show.add_argument("run", metavar="UUID")
    show.set_defaults(command=_show)
    for one in (listing, show):
        one.add_argument("--json", action="store_true")


def _list(args: argparse.Namespace) -> int:
    runs = RunsFolder(open_site(args.folder).folder)
    found = {run: runs.manifests(run) for run in runs.runs()}
    if args.json:
        say_json([{"run": str(run), "attempts": len(manifests)} for run, manifests in found.items()])
        return 0
    for run, manifests in found.items():
        last = manifests[-1].attempt if manifests else None
        say(f"{run}  {len(manifests)} attempts" + (f", the last in round {last.round}" if last else ""))
    return 0


def _show(args: argparse.Namespace) -> int:
    try:
        run = uuid.UUID(args.run)
    except ValueError as error:
        raise InvalidInputError("A run is named by its UUID.") from error
    site = open_site(args.folder)
    manifests = RunsFolder(site.folder).manifests(run)
    if not manifests:
        raise InvalidInputError("This site committed nothing to such a run.")
    reads = _reads(site, run)
    if args.json:
        say_json([_described(manifest, reads) for manifest in manifests])
        return 0
    for manifest in manifests:
        attempt, state = manifest.attempt, manifest.state
        say(
            f"round {attempt.round} attempt {attempt.attempt}: {manifest.count} subjects (shown to others as "
            f"{manifest.band} or more), epoch {state.epoch}, entry {state.seq}, {manifest.digest()}"
        )
    for left_out in sorted({read["without_target"] for read in reads.values() if read.get("without_target")}):
        say(f"{left_out} rows of the data set lack what the plan learns, and were left out")
    return 0


def _reads(site: Site, run: uuid.UUID) -> dict[tuple[int, int], Mapping[str, Any]]:
    """Return what the journal says of each reading of rows for the run, by round and attempt."""
    entries = site.journal.entries(limit=_READS, kinds=("records",))
    read = [entry.detail for entry in entries if entry.outcome == "read" and entry.detail["run"] == str(run)]
    return {(detail["round"], detail["attempt"]): detail for detail in read}


def _described(manifest: CohortManifest, reads: Mapping[tuple[int, int], Mapping[str, Any]]) -> Mapping[str, Any]:
    read = reads.get((manifest.attempt.round, manifest.attempt.attempt), {})
    return {
        "rows": read.get("rows"),
        "rows_without_target": read.get("without_target"),
        "round": manifest.attempt.round,
        "attempt": manifest.attempt.attempt,
        "plan": manifest.attempt.plan,
        "subjects": manifest.count,
        "band": manifest.band,
        "epoch": manifest.state.epoch,
        "seq": manifest.state.seq,
        "as_of": manifest.state.as_of,
        "cohort_root": to_hex(manifest.cohort_root()),
        "manifest": manifest.digest(),
    }
