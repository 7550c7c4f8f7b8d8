"""`consilium`: what people see at their command line, and what they are told when it does not work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from consortium.client import session as sessions
from consortium.client.cli import main
from consortium.client.errors import UnknownFieldError
from consortium.client.session import as_text, pick
from consortium.client.visitor import Visitor

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A platform that knows one pass phrase and answers below /api/v1/ from a table, several answers in turn."""
    answers: dict[str, Any] = {}
    (tmp_path / "phrase").write_text("right\n")
    for name, text in (("URL", "http://127.0.0.1:9"), ("EMAIL", "a@b.example"), ("PASS_PHRASE_FILE", "phrase")):
        monkeypatch.setenv(f"CONSILIUM_{name}", text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sessions, "LOOK_SECONDS", 0.0)

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/accounts/login/":
            is_right = b"password=right" in request.content
            return httpx.Response(302 if is_right else 200, text='name="csrfmiddlewaretoken" value="t"')
        if path == "/identity/o/authorize":
            return httpx.Response(302, headers={"Location": "http://127.0.0.1/callback?code=c"})
        if path == "/identity/o/api/token":
            return httpx.Response(200, json={"access_token": "token"})
        assert request.headers["Authorization"] == "Bearer token"
        found = answers[path.removeprefix("/api/v1/")]
        status, body = found.pop(0) if len(found) > 1 else found[0]
        answers.setdefault("sent", []).append(request.content)
        return httpx.Response(status, json=body)

    def make(visitor: Visitor, address: str) -> None:
        visitor.client = httpx.Client(base_url=address, transport=httpx.MockTransport(answer))
        visitor.token = ""

    monkeypatch.setattr(Visitor, "__init__", make)
    return answers


def test_an_answer_is_shown_whole_or_by_field(platform: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    platform["things"] = [(200, {"results": [{"id": 7, "is_new": True}]})]

    assert main(["get", "things"]) == 0
    assert json.loads(capsys.readouterr().out) == {"results": [{"id": 7, "is_new": True}]}
    assert main(["get", "things", "--show", "results.0.id"]) == 0
    assert capsys.readouterr().out == "7\n"
    assert main(["get", "things", "--show", "results.1.id"]) == 1
    assert "no results.1.id" in capsys.readouterr().err


def test_an_answer_is_waited_for(platform: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    platform["run"] = [(200, {}), (200, {"state": "running"}), (200, {"state": "failed"})]

    assert main(["get", "run", "--until", "state=completed,failed", "--show", "state"]) == 0
    assert capsys.readouterr().out == "failed\n"
    assert main(["get", "run", "--until", "state=completed", "--within", "0"]) == 1
    assert "state of run is failed and not completed" in capsys.readouterr().err


def test_a_file_is_sent_and_a_refusal_is_told_in_the_platforms_words(
    platform: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "body.json").write_text('{"a": 1}')
    platform["things"] = [(201, {"id": "x"}), (400, {"detail": "The plan uses smoker as binary."})]

    assert main(["post", "things", "body.json", "--show", "id"]) == 0
    assert capsys.readouterr().out == "x\n"
    assert json.loads(platform["sent"][0]) == {"a": 1}
    assert main(["post", "things", "body.json"]) == 1
    assert capsys.readouterr().err == "The platform refused (400): The plan uses smoker as binary.\n"


def test_a_wrong_pass_phrase_a_missing_file_and_a_missing_address_are_told(
    platform: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "phrase").write_text("wrong")
    assert main(["get", "things"]) == 1
    assert "does not let a@b.example in" in capsys.readouterr().err
    assert main(["--pass-phrase-file", "none", "get", "things"]) == 1
    assert "none cannot be read" in capsys.readouterr().err
    monkeypatch.delenv("CONSILIUM_URL")
    assert main(["get", "things"]) == 1
    assert "Set CONSILIUM_URL" in capsys.readouterr().err
    assert "sent" not in platform


def test_a_platform_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("right")

    words = ["--url", "http://127.0.0.1:9", "--email", "a", "--pass-phrase-file", str(tmp_path / "phrase")]

    assert main([*words, "get", "things"]) == 1


def test_fields_are_found_by_names_and_positions() -> None:
    value = {"results": [{"a": None}, {"a": {"b": False}}]}

    assert pick(value, "results.1.a.b") is False
    assert pick(value, "results.count") == 2
    assert [as_text(one) for one in (None, True, False, 3, "x")] == ["", "true", "false", "3", "x"]
    for field in ("results.2", "results.-1", "results.a", "a", "results.0.a.b"):
        with pytest.raises(UnknownFieldError):
            pick(value, field)
