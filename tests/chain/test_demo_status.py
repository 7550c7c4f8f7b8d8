"""The last lines of the story: the chain's status, from a node and from what the web process says."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from consortium.demo import chain_status
from consortium.demo.story import Story

pytestmark = pytest.mark.services


@pytest.mark.parametrize(("status", "well", "word"), [(200, True, "well "), (503, False, "WRONG")])
def test_the_story_ends_with_the_status_of_the_chain(anvil, tmp_path, capsys, status, well, word):
    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            checks = {name: {"well": well, "text": f"{name} was asked."} for name in chain_status.OF_THE_CHAIN}
            body = json.dumps({"checks": checks}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    world = SimpleNamespace(
        address=f"http://127.0.0.1:{server.server_port}", ports=SimpleNamespace(web=0, chain=anvil.port)
    )
    try:
        chain_status.tell(Story(tmp_path), world)  # type: ignore[arg-type]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

    said = capsys.readouterr().out
    assert "manage.py chain status" in said
    for name in ("chain", "outbox", "projector"):
        assert f"{word}  {name}: {name} was asked." in said
    assert f"node 127.0.0.1:{anvil.port}: Block " in said
    assert "-      quorum: A development chain" in said
