"""The checks of the contracts judge as they say; what they judge is measured by `make`."""

import pytest

from tests.checks import coverage, slither

LCOV = """SF:src/A.sol
BRDA:3,0,0,7
BRDA:3,0,1,-
BRDA:9,1,0,0
end_of_record
SF:test/A.t.sol
BRDA:1,0,0,-
end_of_record
"""
REPORT = {
    "results": {
        "detectors": [
            {
                "check": "timestamp",
                "id": "ab" * 32,
                "description": "A.close() uses timestamp\n",
                "elements": [
                    {
                        "name": "close",
                        "type": "function",
                        "type_specific_fields": {"parent": {"type": "contract", "name": "A"}},
                    }
                ],
            }
        ]
    }
}
ENTRY = '[[finding]]\ncheck = "timestamp"\nwhere = "A.close"\nids = ["{ids}"]\nwhy = "{why}"\n'


def entry(ids: str = "abababababab", why: str = "Days.") -> str:
    return ENTRY.format(ids=ids, why=why)


def test_branches_of_the_contracts_alone_are_counted() -> None:
    found = coverage.branches(LCOV)

    assert [(one.file, one.line, one.is_taken) for one in found] == [
        ("src/A.sol", 3, True),
        ("src/A.sol", 3, False),
        ("src/A.sol", 9, False),
    ]


@pytest.mark.parametrize(("taken", "is_enough"), [(100, True), (95, True), (94, False), (0, False)])
def test_fewer_than_95_of_100_branches_are_too_few(taken: int, is_enough: bool) -> None:
    found = [coverage.Branch("src/A.sol", line, line < taken) for line in range(100)]

    enough, said = coverage.verdict(found)

    assert enough is is_enough
    assert said.startswith(f"coverage: {taken} of 100 branches")
    assert said.count("not taken: src/A.sol:") == 100 - taken


def test_nothing_measured_is_no_pass() -> None:
    assert coverage.verdict([]) == (False, "coverage: no branch of src was measured at all")


def test_a_finding_that_is_explained_passes() -> None:
    assert slither.differences(slither.explained(entry()), slither.findings(REPORT)) == []


def test_a_new_finding_is_told_with_its_text_and_one_that_is_gone_by_its_place() -> None:
    new, gone = slither.differences(slither.explained(entry(ids="cdcdcdcdcdcd")), slither.findings(REPORT))

    assert new == "new: timestamp in A.close (abababababab)\nA.close() uses timestamp"
    assert gone == "gone: timestamp in A.close (cdcdcdcdcdcd): take it out"


@pytest.mark.parametrize(("content", "said"), [(entry(why=" "), "Not explained"), (entry() + entry(), "twice")])
def test_an_explanation_without_a_sentence_or_given_twice_is_refused(content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slither.explained(content)


def test_every_finding_that_stays_is_explained_in_a_sentence() -> None:
    assert all(one.why.endswith(".") for one in slither.explained(slither.EXPLAINED.read_text()))
