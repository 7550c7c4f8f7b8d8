"""Pages of other consortia's models: what is proven, what that means and what it does not, and where it is found."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consortium.governance.models import Proposal
from contracts.models import OutboxTransaction
from tests.integration.training import foreign_events as said
from training.models import ForeignModel, Peer

LIST = "/models/others/"


@pytest.fixture
def hospital(login):
    return login("hospital")


@pytest.fixture
def released(world, as_system) -> ForeignModel:
    with as_system():
        said.tell(world, said.accepted(), said.opened(), said.advanced(), said.registered(), said.released())
        return ForeignModel.objects.select_related("peer").get()


def page(model: ForeignModel) -> str:
    return f"{LIST}{model.pk}/"


def text_of(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def words_of(client, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(client, path)))


def refused_call(world, key: str, **changes) -> OutboxTransaction:
    call = {"contract": "CrossConsortiumInbox", "function": "deliver", "correlation_id": "c", "state": "failed"}
    return OutboxTransaction.objects.create(
        consortium_id=world.consortium.pk, idempotency_key=key, **(call | {"error_code": "InboxNotAPeer"} | changes)
    )


def test_empty_pages_say_what_will_stand_there_and_how_it_comes(hospital, world):
    assert "Nothing is proven here yet" in words_of(hospital, "/models/")
    words = words_of(hospital, LIST)
    assert "No model of another consortium is proven here" in words
    assert "No other consortium is accepted" in words
    assert "Deliveries that were refused" not in words


def test_the_list_tells_model_peer_and_whether_it_counts(hospital, released):
    words = words_of(hospital, LIST)

    assert released.digest[:23] in words
    assert "Released" in words
    assert "1 count, 0 recalled" in words
    assert "block 9" in words
    assert "1 model counts as released, 0 recalled." in words_of(hospital, "/models/")


def test_a_model_tells_its_peer_digests_blocks_and_what_is_not_known(hospital, released):
    words, text = words_of(hospital, page(released)), text_of(hospital, page(released))

    assert "Released by the other consortium, as far as is proven here" in words
    assert "Only what somebody delivered is known here, the newest from its block 9" in words
    assert "in the peer's block 8" in words
    assert "proven in our block 5" in words
    assert "a recall that nobody has delivered is unknown here" in words
    assert "Where trust begins" in words
    for digest in (released.digest, released.card_digest, released.peer.peer, "0x" + said.RELEASE.hex()):
        assert digest in text
    assert "It was proven that another consortium's chain says of a model: released" in words


def test_a_recall_and_an_ended_peer_are_said_first(hospital, world, released, as_system):
    with as_system():
        said.tell(world, said.accepted(6, accepted=False))
    assert "This consortium's proofs are no longer accepted here" in words_of(hospital, page(released))
    assert "No, peer ended" in words_of(hospital, LIST)
    with as_system():
        said.tell(world, said.accepted(7), said.recalled(8))
    assert "The other consortium has recalled it" in words_of(hospital, page(released))
    assert "No, recalled" in words_of(hospital, LIST)


def test_the_vote_that_accepted_the_peer_is_one_link_away(hospital, world, released, as_system):
    with as_system():
        vote = Proposal.objects.create(
            consortium=world.consortium,
            organization=world.hospital,
            contract="ConsortiumGovernor",
            kind="set_peer",
            arguments="0x" + said.PEER.hex() + "00" * 31 + "01",
            state="executed",
        )
    assert f"/proposals/{vote.pk}/" in text_of(hospital, page(released))


def test_a_refused_delivery_shows_why_until_it_is_asked_again(hospital, world, as_system):
    with as_system():
        refused_call(world, "peer:a:1", error_text="The members have not accepted this peer.")
        refused_call(world, "peer:b:1", error_code="InboxNothingNew")
    assert "The members have not accepted this peer." in words_of(hospital, LIST)
    assert "InboxNothingNew" not in words_of(hospital, LIST)

    with as_system():
        refused_call(world, "peer:a:1:again:2", state="recorded", error_code="")
    assert "Deliveries that were refused" not in words_of(hospital, LIST)


@pytest.mark.parametrize("written", ["sha256:" + said.MODEL.hex(), "0x" + said.CARD.hex(), said.RELEASE.hex()])
def test_a_digest_leads_to_the_model_in_every_spelling(hospital, released, written):
    answer = hospital.get(f"/follow/{written}/")
    assert (answer.status_code, answer["Location"]) == (302, page(released))


def test_a_peers_digest_and_address_lead_to_the_peers(hospital, released):
    for name in ("0x" + said.PEER.hex(), said.ANCHOR["models"]):
        assert hospital.get(f"/follow/{name}/")["Location"] == f"{LIST}#peers"


def test_the_api_answers_what_the_contract_does(hospital, world, released):
    listed = hospital.get(f"/api/v1/consortia/{world.consortium.pk}/foreign-models").json()["results"]
    one = hospital.get(f"/api/v1/foreign-models/{released.pk}").json()
    peers = hospital.get(f"/api/v1/consortia/{world.consortium.pk}/peers").json()["results"]

    assert listed == [one]
    assert (one["state"], one["counts"], one["peer"]) == ("released", True, "0x" + said.PEER.hex())
    assert [(row["kind"], row["peer_block"], row["block"]) for row in one["statements"]] == [
        ("registered", 7, 4),
        ("released", 8, 5),
    ]
    assert (peers[0]["chain_id"], peers[0]["proven_height"]) == (2**64 - 1, 9)


def test_nobody_outside_sees_any_of_it(login, world, released):
    stranger = login("outsider")
    assert stranger.get(page(released)).status_code == 404
    assert released.digest[:23] not in stranger.get(LIST).content.decode()
    assert stranger.get(f"/api/v1/foreign-models/{released.pk}").status_code == 404
    assert stranger.get(f"/follow/{released.digest}/").status_code == 404


def test_the_list_takes_as_many_questions_for_many_models_as_for_one(hospital, world, released, as_system):
    hospital.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        hospital.get(LIST)
    with as_system():
        for number in range(20):
            ForeignModel.objects.create(
                consortium=world.consortium,
                peer=Peer.objects.get(),
                digest=f"sha256:{number:064x}",
                proven_block=1,
                proven_at=released.proven_at,
            )
    with CaptureQueriesContext(connection) as many:
        hospital.get(LIST)
    assert len(many) == len(few)
