"""What the benchmark of the chain counts with: moments, shares of processors, and acts that members really signed."""

import subprocess
import sys
import time
import uuid
from functools import partial

import pytest

from benchmarks import storage
from benchmarks._members import Consortium, Member
from benchmarks._platform import Watch
from benchmarks._usage import Usage, fullest, usage
from benchmarks.chain import _full_blocks, _limits, quantile
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.secp256k1 import recover

ANCHORS = {"ConsentAnchor": "0x" + "11" * 20, "AuditAnchor": "0x" + "22" * 20}


@pytest.fixture
def consortium() -> Consortium:
    return Consortium(uuid.uuid4(), 417_001, [Member(uuid.uuid4()) for _ in range(2)], ANCHORS)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.25, 1.0), (0.5, 2.0), (0.51, 3.0), (0.95, 4.0), (1.0, 4.0)]
)
def test_a_quantile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert quantile([4.0, 2.0, 1.0, 3.0], share) == expected


def test_a_members_acts_carry_its_own_signature_and_consecutive_numbers(consortium: Consortium) -> None:
    member = consortium.members[0]

    epoch, revocation = consortium.epoch(member), consortium.revocation(member)

    assert (epoch.seq, revocation.seq, consortium.members[1].seq) == (1, 2, 0)
    said = {"organization": member.name, "epoch": 1, "seq": 2, "subjects": list(revocation.subjects)}
    domain = Domain("ConsentAnchor", consortium.chain_id, ANCHORS["ConsentAnchor"])
    assert recover(typed_hash(domain, "RevokeConsents", said), revocation.signature) == member.address


def test_a_members_log_grows_by_one_and_each_checkpoint_is_an_intent_of_its_own(consortium: Consortium) -> None:
    member = consortium.members[0]

    rows = [consortium.checkpoint(member) for _ in range(3)]

    assert [row.values[1] for row in rows] == [1, 2, 3]
    assert len({row.idempotency_key for row in rows}) == 3
    log, size, root, (witness,) = rows[2].values
    domain = Domain("AuditAnchor", consortium.chain_id, ANCHORS["AuditAnchor"])
    digest = typed_hash(domain, "Checkpoint", {"log": log, "size": size, "root": root})
    assert recover(digest, witness["signature"]) == member.address


def test_a_busy_process_shows_as_about_one_processor_and_a_waiting_one_as_none() -> None:
    loop = "import sys\nprint('on', flush=True)\nwhile True: pass"
    still = "import sys\nprint('on', flush=True)\nsys.stdin.read()"
    run = partial(subprocess.Popen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with run([sys.executable, "-c", loop]) as busy, run([sys.executable, "-c", still]) as waiting:
        for process in (busy, waiting):
            assert process.stdout is not None
            assert process.stdout.readline() == "on\n"
        named = {"busy": busy.pid, "waiting": waiting.pid}
        before = usage(named)
        deadline = time.monotonic() + 20
        while (shares := usage(named).since(before))["busy"] * (time.monotonic() - before.clock) < 0.2:
            assert time.monotonic() < deadline, "the process had no processor"
        busy.kill()
        waiting.kill()

    assert 0 < shares["busy"] < 1.5
    assert shares["waiting"] < shares["busy"]
    assert shares["machine"] > 0


def test_shares_are_of_the_time_that_has_passed() -> None:
    before, after = Usage({"node": 1.0}, 10.0, 100.0), Usage({"node": 2.0}, 10.0, 104.0)

    assert after.since(before) == {"node": 0.25, "machine": 0.0}


def test_what_is_fullest_saturates_first() -> None:
    shares = {"dispatch": 0.2, "project": 0.1, "node": 0.3, "machine": 0.9}

    limits = _limits(shares, [(30_000_000, 540), (30_000_000, 600)])

    assert limits["a block's gas"] == 0.5
    assert fullest(limits) == ("a lane's 600 acts a block", 0.95)


class _Blocks:
    """A chain whose blocks hold so many acts of 1,000 gas."""

    def __init__(self, *acts: int) -> None:
        self.acts = acts

    def head(self) -> "_Blocks":
        return self

    @property
    def number(self) -> int:
        return len(self.acts)

    def ask(self, method: str, parameters: list[object]) -> dict[str, object]:
        assert method == "eth_getBlockByNumber"
        count = self.acts[int(str(parameters[0]), 16) - 1]
        return {"gasUsed": hex(1_000 * count), "transactions": ["0x"] * count}


@pytest.mark.parametrize(
    ("acts", "expected"),
    [((0, 7, 600, 600, 3, 0), [(600_000, 600), (600_000, 600)]), ((0, 7), [(7_000, 7)])],
)
def test_blocks_in_which_the_work_began_or_ended_do_not_count_unless_there_are_no_others(
    acts: tuple[int, ...], expected: list[tuple[int, int]]
) -> None:
    assert _full_blocks(_Blocks(*acts), 1) == expected  # type: ignore[arg-type]


def test_a_watch_tells_when_something_was_seen_first() -> None:
    true_now = ["early"]
    with Watch(lambda: list(true_now)) as watch:
        begin = time.perf_counter()
        early = watch.wait_for(["early"])["early"]
        true_now.append("late")
        seen = watch.wait_for(["early", "late"])

    assert begin - 1 < early == seen["early"] <= seen["late"] <= time.perf_counter()


def test_a_watch_that_cannot_look_says_so_where_it_is_waited_for() -> None:
    def fail() -> list[str]:
        raise ValueError("no such table")

    with Watch(fail) as watch, pytest.raises(ValueError, match="no such table"):
        watch.wait_for(["anything"], seconds=20)


def test_a_watch_that_waits_in_vain_says_how_many_are_missing() -> None:
    with Watch(lambda: ["one"]) as watch, pytest.raises(RuntimeError, match="1 of 2 were not seen"):
        watch.wait_for(["one", "two"], seconds=0.2)


def test_bytes_of_blocks_come_from_the_recorded_network_and_a_receipt_is_more_than_its_logs() -> None:
    empty, receipt = storage._block_figures()

    assert 800 < empty["value"] < 900
    assert receipt["value"] > receipt["compared_value"] > 0
