"""The digests name exactly the code that runs, and the library stays free of the web framework."""

import json
import subprocess
import sys
from pathlib import Path

import training.federated
from training.federated.source_digests import CODE_SOURCES, code_digest, runner_digest, sources_digest

PACKAGE = Path(str(training.federated.__file__)).parent


def loaded_by(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter has loaded after a statement."""
    program = f"import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(  # our own interpreter and text
        [sys.executable, "-c", program], check=True, capture_output=True, cwd=PACKAGE.parents[1]
    )
    return set(json.loads(run.stdout))


def test_the_code_digest_covers_every_module_of_ours_that_training_loads() -> None:
    loaded = loaded_by("import training.federated.plan_code")
    modules = {name for name in loaded if name.startswith("training.federated")}

    paths = set()
    for name in modules:
        path = PACKAGE.joinpath(*name.split(".")[2:])
        paths.add((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).relative_to(PACKAGE).as_posix())
    assert paths == set(CODE_SOURCES)


def test_no_module_of_the_library_loads_the_web_framework_or_a_back_end() -> None:
    names = [
        ".".join(path.relative_to(PACKAGE.parents[1]).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    ]

    loaded = loaded_by("; ".join(f"import {name}" for name in names))

    assert "training.federated.secagg.site" in loaded
    forbidden = {"django", "celery", "rest_framework", "web3", "substra", "substrafl", "syft"}
    assert not {name.partition(".")[0] for name in loaded} & forbidden


def test_one_changed_byte_or_name_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    before = sources_digest(tmp_path, ["a.py"])

    (tmp_path / "a.py").write_bytes(b"x = 2\n")
    (tmp_path / "b.py").write_bytes(b"x = 1\n")

    assert len({before, sources_digest(tmp_path, ["a.py"]), sources_digest(tmp_path, ["b.py"])}) == 3
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    assert sources_digest(tmp_path, ["a.py"]) == before


def test_code_and_runner_have_digests_of_their_own() -> None:
    assert code_digest() == code_digest()
    assert code_digest() != runner_digest()
    assert code_digest().startswith("sha256:")
