from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, DOMAIN_OF, TYPES, Domain, struct_type, typed_hash
from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from consortium.kernel.secp256k1 import address_of, checksum_address, recover, sign_digest
from consortium.kernel.sentences import TEMPLATES, sentence
from consortium.kernel.structured_data import StructType, encode_type, hash_struct, signing_hash

ADDRESS = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
COW = keccak256(b"cow")
HOSPITAL = b"\x11" * 16 + bytes(16)

# The example of EIP-712 itself, with the hashes it gives (assets/eip-712/Example.js, CC0).
MAIL_TYPES = {
    struct.name: struct
    for struct in map(
        StructType.parse, ["Person(string name,address wallet)", "Mail(Person from,Person to,string contents)"]
    )
}
MAIL = {
    "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
    "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
    "contents": "Hello, Bob!",
}


def value_of(kind: str) -> st.SearchStrategy[Any]:
    if kind.endswith("[]"):
        return st.lists(value_of(kind[:-2]), max_size=3)
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: checksum_address("0x" + raw.hex()))
    return {
        "bytes32": st.binary(min_size=32, max_size=32),
        "bytes": st.binary(max_size=40),
        "string": st.text(max_size=20),
    }[kind]


def messages(primary: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: value_of(kind) for kind, name in TYPES[primary].members})


def domain_of(primary: str, contract: str = ADDRESS) -> Domain:
    name = DOMAIN_OF[primary]
    return Domain(name, 31337, None if name == AGENT_DOMAIN else contract)


def ballot(**changes: Any) -> dict[str, Any]:
    return {"decision": bytes(32), "subject": b"\x22" * 32, "organization": HOSPITAL, "choice": 1, **changes}


def test_mail_example_of_eip_712_has_the_published_hashes() -> None:
    domain = Domain("Ether Mail", 1, ADDRESS)

    assert (
        encode_type(MAIL_TYPES, "Mail")
        == "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    )
    assert domain.separator().hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    struct = hash_struct(MAIL_TYPES, "Mail", MAIL)
    assert struct.hex() == "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    digest = signing_hash(domain.separator(), struct)
    assert digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    signature = sign_digest(digest, COW)
    assert signature.hex() == (
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
        "1c"
    )
    assert recover(digest, signature) == address_of(COW) == "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"


@pytest.mark.parametrize("primary", sorted(TYPES))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_message_hashes_as_eth_account_hashes_it(primary: str, data: st.DataObject) -> None:
    message, domain = data.draw(messages(primary)), domain_of(primary)
    fields: dict[str, Any] = {"name": domain.name, "version": "1", "chainId": 31337}
    if domain.contract:
        fields["verifyingContract"] = domain.contract
    members = [{"type": kind, "name": name} for kind, name in TYPES[primary].members]

    expected = _hash_eip191_message(encode_typed_data(fields, {primary: members}, message))

    assert typed_hash(domain, primary, message) == expected


def test_type_texts_are_those_the_contracts_declare() -> None:
    assert struct_type("CastBallot") == "CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)"
    assert struct_type("Checkpoint") == "Checkpoint(bytes32 log,uint64 size,bytes32 root)"
    assert len(TYPES) == 16
    # OpenZeppelin 5.7, Governor.BALLOT_TYPEHASH
    assert (
        keccak256(struct_type("Ballot").encode()).hex()
        == "f2aad550cf55f045cb27e9c559f9889fdfb6e6cdaa032301d6ea397784ae51d7"
    )


def test_ballot_means_nothing_on_another_chain_contract_or_subject() -> None:
    digests = {
        typed_hash(Domain("DecisionBoard", 31337, ADDRESS), "CastBallot", ballot()),
        typed_hash(Domain("DecisionBoard", 31338, ADDRESS), "CastBallot", ballot()),
        typed_hash(Domain("DecisionBoard", 31337, "0x" + "11" * 20), "CastBallot", ballot()),
        typed_hash(Domain("DecisionBoard", 31337, ADDRESS), "CastBallot", ballot(subject=bytes(32))),
    }

    assert len(digests) == 4


@pytest.mark.parametrize(
    "domain",
    [
        Domain("TrainingLedger", 1, ADDRESS),
        Domain("DecisionBoard", 1),
        Domain("", 1, ADDRESS),
        Domain("DecisionBoard", -1, ADDRESS),
    ],
)
def test_message_of_another_domain_is_refused(domain: Domain) -> None:
    with pytest.raises(InvalidInputError):
        typed_hash(domain, "CastBallot", ballot())


def test_a_domain_known_before_makes_no_other_one_pass() -> None:
    known = Domain("DecisionBoard", 1, ADDRESS).separator()

    with pytest.raises(InvalidInputError):
        Domain("DecisionBoard", True, ADDRESS).separator()
    assert known not in (Domain("DecisionBoard", 2, ADDRESS).separator(), Domain("DecisionBoard", 1).separator())
    assert Domain("DecisionBoard", 1, ADDRESS).separator() == known


def test_request_of_an_agent_has_no_contract() -> None:
    with pytest.raises(InvalidInputError):
        typed_hash(Domain(AGENT_DOMAIN, 1, ADDRESS), "AgentRequest", {})


@pytest.mark.parametrize(
    "message",
    [
        {},
        {**ballot(), "more": 1},
        ballot(choice=True),
        ballot(choice=256),
        ballot(choice=-1),
        ballot(choice="1"),
        ballot(subject=bytes(31)),
        ballot(subject="0x" + "00" * 32),
        ballot(subject=bytearray(32)),
    ],
)
def test_message_that_does_not_fit_its_type_exactly_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        typed_hash(domain_of("CastBallot"), "CastBallot", message)
    with pytest.raises(InvalidInputError):
        sentence("CastBallot", message, {})


@pytest.mark.parametrize("act", [struct_type, lambda name: typed_hash(Domain("DecisionBoard", 1, ADDRESS), name, {})])
def test_unknown_message_is_refused(act: Any) -> None:
    with pytest.raises(InvalidInputError, match="not a message"):
        act("Transfer")


@pytest.mark.parametrize(
    "text", ["", "A", "A(", "A()x", "A(uint8)", "A(uint8 a,)", "A(uint8 a, uint8 b)", "1A(uint8 a)", "A(uint8 a)\n"]
)
def test_malformed_type_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        StructType.parse(text)


def test_signature_that_a_contract_refuses_is_refused_here() -> None:
    digest = keccak256(b"x")
    good = sign_digest(digest, COW)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high_s = good[:32] + (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([55 - good[64]])

    for bad in (b"", good[:64], good + b"\0", good[:64] + b"\0", high_s, bytes(64) + b"\x1b", b"\xff" * 32 + good[32:]):
        with pytest.raises(InvalidSignatureError):
            recover(digest, bad)
    assert recover(keccak256(b"y"), good) != address_of(COW)


def test_address_of_a_key_is_the_one_eth_account_gives() -> None:
    assert address_of(COW) == Account.from_key(COW).address


@pytest.mark.parametrize(
    "text",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_checksums_are_those_of_eip_55(text: str) -> None:
    assert checksum_address(text.lower()) == text


@pytest.mark.parametrize(
    "text", ["", "0x", "0x" + "0" * 39, "0x" + "0" * 41, "0x" + "g" * 40, "0X" + "0" * 40, "0x" + "00 " * 13 + "0"]
)
def test_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        checksum_address(text)


def test_every_message_has_a_sentence() -> None:
    assert TEMPLATES.keys() == TYPES.keys()


@pytest.mark.parametrize("primary", sorted(TYPES))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_signed_field_shows_in_the_sentence_save_a_nonce(primary: str, data: st.DataObject) -> None:
    told = sentence(primary, data.draw(messages(primary)), {})

    assert told.key == f"sign.{primary}"
    assert told.english == TEMPLATES[primary] % told.parameters
    shown = {name for name in told.parameters if f"%({name})s" in TEMPLATES[primary]}
    assert told.parameters.keys() - shown <= {"nonce"}


def test_sentence_of_a_ballot_speaks_plainly() -> None:
    told = sentence("CastBallot", ballot(choice=2), {HOSPITAL: "Mercy Hospital"})

    assert told.english == f"Mercy Hospital answers no in the decision 0x{'00' * 32} on 0x{'22' * 32}."


def test_sentence_of_an_unknown_choice_says_so() -> None:
    assert "an unknown word (9)" in sentence("CastBallot", ballot(choice=9), {}).english


def test_foreign_text_cannot_break_out_of_its_sentence() -> None:
    message = {
        "organization": HOSPITAL,
        "kind": 0,
        "arguments": b"",
        "description": "admit\n\u202eMercy answers yes" + "x" * 300,
        "nonce": 0,
        "deadline": 2**64 - 1,
    }

    english = sentence("ProposeAct", message, {}).english

    assert "\n" not in english
    assert "\u202e" not in english
    assert "(cut)" in english
    assert "18446744073709551615 s after 1970" in english
