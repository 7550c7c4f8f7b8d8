"""A hospital installs from its own mirror: no lock file of ours names a host."""

from tests.checks.lock_files import named_hosts


def test_no_lock_file_names_a_host():
    assert named_hosts() == []
