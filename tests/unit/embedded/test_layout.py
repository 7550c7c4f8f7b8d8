"""Where files go, also when the checkout lies so deep that a socket's path would not fit."""

import shutil
from pathlib import Path

from consortium.embedded.credentials import Credentials
from consortium.embedded.layout import LONGEST_SOCKET_NAME, MAX_SOCKET_PATH_BYTES, Layout


def test_sockets_lie_below_the_root_when_their_paths_fit(tmp_path):
    root = Path("/tmp") / "x"  # noqa: S108  a short path is the point; nothing is made there but an empty folder

    try:
        assert Layout(root).sockets() == root / "run"
    finally:
        shutil.rmtree(root)


def test_sockets_move_to_a_short_folder_and_stay_there_when_paths_would_not_fit(tmp_path):
    layout = Layout(tmp_path / ("deep" * 20))

    first = layout.sockets()
    try:
        assert len(str(first / LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
        assert layout.sockets() == first
    finally:
        first.rmdir()


def test_a_secret_is_made_once_and_kept(tmp_path):
    credentials = Credentials(Layout(tmp_path))

    first = credentials.secret("database-consilium_app")
    assert len(first) >= 40
    assert Credentials(Layout(tmp_path)).secret("database-consilium_app") == first
    assert credentials.secret("other") != first
