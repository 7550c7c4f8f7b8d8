"""A guardian's veto at its own agent: said before it is signed, signed once, and refused in words."""

import asyncio
import getpass
import re
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.cli import main
from agent.client import _ballot
from agent.courier import Courier
from agent.errors import NotOpenError, PersonRefusedError
from agent.keystore import KeyPurpose
from agent.member_page.application import member_page
from agent.people import Person, Role
from agent.site import Site
from agent.veto_desk import LaidOutVeto
from agent.vetoes import WaitingAct
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import digest_to_bytes32, sha256_digest
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError, InvalidInputError
from consortium.kernel.identifiers import from_hex
from consortium.kernel.secp256k1 import recover
from tests.unit.agent import platforms
from tests.unit.agent.platforms import ADMISSION, PREFIX, PlatformInMemory
from tests.unit.agent.worlds import ADDRESSES, APPLICANT, PHRASE, PROPOSAL, ChainInMemory, admission_chain, consortium

VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
OPERATION, SUBJECT = bytes([0x41]) * 32, bytes([0x42]) * 32


def queued_chain(**guardian: Any) -> ChainInMemory:
    """A chain on which the admission was voted and waits, and this member is one of two guardians."""
    chain = admission_chain()
    chain.set("ConsortiumGovernor", state=5, proposalEta=chain.time + 300)
    chain.set("TimelockController", isOperationPending=True)
    views = {"operationOf": OPERATION, "subjectOf": SUBJECT, "numbers": (2, 3), "isVetoed": False, "isGuardian": True}
    chain.set("Guardian", **views | guardian)
    return chain


@pytest.fixture
def guardian(new_site: Any) -> Site:
    site: Site = new_site(chain=queued_chain())
    return site


def _read(site: Site) -> WaitingAct:
    return site.vetoes.read(consortium(), str(PROPOSAL))


def _sign(site: Site, **changes: Any) -> Any:
    act = _read(site)
    given: dict[str, Any] = {
        "offered": _ballot(platforms.admission()),
        "act": act,
        "reason": "At  night\n",
        "person": VERA,
    }
    return site.vetoes.sign(**given | {"digest": site.vetoes.prepare(act).digest} | changes)


def _decided(site: Site) -> int:
    return len(site.journal.select("kind = 'veto' AND outcome = 'decided'", limit=9))


def test_a_veto_is_what_the_guardian_checks_and_is_signed_once(guardian: Site) -> None:
    letter = _sign(guardian)

    digest = typed_hash(consortium().domain("Guardian"), "Veto", {"operation": OPERATION, "subject": SUBJECT})
    assert recover(digest, from_hex(letter.body["signature"])) == guardian.signer.address(
        KeyPurpose.VOTE, consortium().id
    )
    assert (letter.path, letter.body["reason"]) == (f"{PREFIX}/vetoes/{ADMISSION}", "At night")
    assert _sign(guardian) == letter
    assert _decided(guardian) == 1


def test_the_sentence_says_what_would_be_stopped(guardian: Site) -> None:
    prepared = guardian.vetoes.prepare(_read(guardian))

    assert prepared.sentence == f"Hospital 6.5 vetoes admitting {APPLICANT} as a member, which was voted and waits."
    assert OPERATION.hex() in prepared.literal
    assert SUBJECT.hex() in prepared.literal


REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "from the end of its vote": ("ConsortiumGovernor", {"state": 1}),
    "was vetoed": ("ConsortiumGovernor", {"state": 2}),
    "comes too late": ("ConsortiumGovernor", {"state": 7}),
    "Nothing waits here": ("TimelockController", {"isOperationPending": False}),
    "was vetoed before": ("Guardian", {"isVetoed": True}),
    "is no guardian": ("Guardian", {"isGuardian": False}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_the_contract_would_refuse_is_not_signed_and_the_refusal_says_why(new_site: Any, said: str) -> None:
    chain = queued_chain()
    contract, views = REFUSED[said]
    chain.set(contract, **views)
    site = new_site(chain=chain)

    with pytest.raises(NotOpenError, match=said):
        _sign(site)
    assert _decided(site) == 0
    assert site.letters.waiting() == []


def test_no_steward_no_other_digest_and_no_veto_without_a_reason(guardian: Site) -> None:
    with pytest.raises(PersonRefusedError):
        _sign(guardian, person=Person("stan", "Stan", frozenset({Role.STEWARD})))
    with pytest.raises(ConflictError):
        _sign(guardian, digest=bytes(32))
    for reason in ("", " \n", "x" * 501):
        with pytest.raises(InvalidInputError):
            _sign(guardian, reason=reason)
    assert _decided(guardian) == 0


def _platform(platform: PlatformInMemory) -> httpx.ASGITransport:
    """The platform's side with the act that waits."""
    application = platform.application()

    async def vetoes(_request: Request) -> Response:
        return JSONResponse({"results": [platforms.admission()]})

    post = platform._inside(platform._post)
    application.router.routes += [
        Route(f"{PREFIX}/vetoes", platform._inside(vetoes)),
        Route(f"{PREFIX}/vetoes/{{proposal}}", post, methods=["POST"]),
    ]
    return httpx.ASGITransport(application)


def test_the_command_says_the_sentence_before_it_asks_for_the_pass_phrase(
    site: Site, platform: PlatformInMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original, transport, said = Site.client, _platform(platform), []
    monkeypatch.setattr(Site, "client", lambda one: original(one, transport=transport))
    monkeypatch.setattr("agent.chain_check.Trust.admit", lambda _trust, found: found)
    monkeypatch.setattr("agent.site.open_chain", lambda _configuration: queued_chain())

    def ask(_prompt: str) -> str:
        said.append(capsys.readouterr().out)
        return PHRASE

    monkeypatch.setattr(getpass, "getpass", ask)
    folder = ["--folder", str(site.folder.root)]
    assert main([*folder, "guardian", "list"]) == 0
    assert "can be vetoed until" in capsys.readouterr().out
    assert main([*folder, "guardian", "veto", ADMISSION, "--reason", "At night", "--as", "vera"]) == 0

    assert said[0].startswith(f"Hospital 6.5 vetoes admitting {APPLICANT} as a member")
    assert "it takes 2 of 3 guardians" in said[0]
    assert platform.posts[0][:2] == (
        f"{PREFIX}/vetoes/{ADMISSION}",
        {"reason": "At night", "signature": platform.posts[0][1]["signature"]},
    )


def test_the_member_page_asks_for_the_word_and_the_pass_phrase(
    new_site: Any, platform: PlatformInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site: Site = new_site(chain=queued_chain())
    monkeypatch.setattr(site.trust, "admit", lambda found: found)

    async def visit() -> tuple[str, str, str, str]:
        async with site.client(transport=_platform(platform)) as client:
            courier = Courier(client, site.letters)
            application = member_page(site, desk=site.desk(client, courier), courier=courier)
            base = f"http://127.0.0.1:{site.configuration.port}"
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(application), base_url=base, headers={"origin": base}
            ) as browser:
                token = _field("csrf_token", (await browser.get("/login")).text)
                await browser.post("/login", data={"csrf_token": token, "name": "vera", "pass_phrase": PHRASE})
                listed = (await browser.get("/")).text
                page = (await browser.get(f"/vetoes/{ADMISSION}")).text
                fields = {"csrf_token": _field("csrf_token", page), "digest": _field("digest", page)}
                fields |= {"reason": "At night", "pass_phrase": PHRASE}
                refused = await browser.post(f"/vetoes/{ADMISSION}", data=fields | {"word": "yes"})
                assert _decided(site) == 0
                done = await browser.post(f"/vetoes/{ADMISSION}", data=fields | {"word": "veto"})
                signed = (await browser.get(done.headers["location"])).text
                return listed, page, refused.text, signed

    listed, page, refused, signed = asyncio.run(visit())
    assert "Voted and waiting" in listed
    assert f'action="/vetoes/{ADMISSION}"' in page
    assert "Type veto to confirm" in refused
    assert "At night" in refused
    assert "Your veto is signed" in signed
    assert "The platform has taken it" in signed
    assert ADDRESSES["Guardian"] in str(site.journal.select("kind = 'veto'", limit=1)[0].detail["key"])


def test_a_guardian_reads_the_names_that_the_chain_vouches_for_also_without_having_read_the_ballot(
    new_site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, platform = queued_chain(), PlatformInMemory()
    profile = canonical_json({"name": "Hospital 7.4", "salt": "x"})
    digest = sha256_digest(profile)
    platform.blobs[digest] = profile
    chain.set("ConsortiumRegistry", organization={"profile": digest_to_bytes32(digest)})
    site: Site = new_site(chain=chain)
    monkeypatch.setattr(site.trust, "admit", lambda found: found)

    async def read() -> LaidOutVeto:
        async with site.client(transport=_platform(platform)) as client:
            return (await site.veto_desk(client, Courier(client, site.letters)).waiting())[0]

    laid_out = asyncio.run(read())

    assert laid_out.prepared is not None
    said = "Hospital 6.5 vetoes admitting Hospital 7.4 (0b0b0b0b) as a member, which was voted and waits."
    assert laid_out.prepared.sentence == said


def _field(name: str, page: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, page[:2000]
    return found[1]
