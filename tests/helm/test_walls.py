"""What the README says of a plan's code in a pod, under a filter that refuses what a runtime's default profile does."""

import json
import platform
import subprocess
import sys

import pytest

from tests.helm.charts import ROOT

_PLAIN_USER = 61_777
# A seccomp filter in classic BPF: unshare (272) and chroot (161) answer EPERM, as they do to a container without
# capabilities; then the user of the pod, with no privilege to gain.
_AS_IN_A_POD = """
import ctypes, json, os, struct, subprocess, sys
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
load, equal, answer = 0x20, 0x15, 0x06
lines = [(load, 0, 0, 0), (equal, 2, 0, 272), (equal, 1, 0, 161)]
lines += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x00050001)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
program = struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) == 0, os.strerror(ctypes.get_errno())
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)

from agent.training.runner_process import RunnerProcess
from tests.unit.agent_training.test_runner import _reach

# A command of the site that has not ended yet.
hold = (
    "import time; from agent import cli\\n"
    "try: cli.main(['--help'])\\n"
    "except SystemExit: pass\\n"
    "print('held', flush=True); time.sleep(60)"
)
victim = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
while victim.stdout.readline() != "held\\n": pass
process = RunnerProcess(code="tests.unit.agent_training.hostile:reaches_out")
print(json.dumps([process.confinement().to_json(), _reach(process, victim.pid, Path("/etc/hostname"))]))
process.close()
victim.kill()
"""


def test_behind_the_limits_alone_code_opens_nothing_and_begins_nothing_but_may_end_what_runs_as_its_user():
    if platform.machine() != "x86_64":
        pytest.skip("the filter names system calls by their numbers on x86-64")
    done = subprocess.run(
        [sys.executable, "-c", _AS_IN_A_POD.replace("USER", str(_PLAIN_USER))],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=120,
    )
    if done.returncode != 0 and "Permission" in done.stderr:
        pytest.skip("another user of this machine cannot read the interpreter or the checkout")
    assert done.stderr == ""
    walls, (inet, unix, key_file, passwd, listing, fork, kill, ptrace, environment, _user) = json.loads(done.stdout)

    assert walls == {"network": False, "files": False, "processes": False, "user": False}
    assert [inet, unix, key_file, passwd, listing] == [24.0] * 5
    assert (fork > 0, ptrace, environment) == (True, -1.0, 0.0)
    assert kill == 0.0
    assert "it could end it" in (ROOT / "helm" / "consilium-site" / "README.md").read_text()
