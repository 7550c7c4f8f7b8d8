"""Bearer tokens: from the embedded provider by code and PKCE, and every wrong one refused alike."""

import base64
import hashlib
import secrets
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.idp.oidc.models import Client as TokenClient
from django.conf import settings
from django.test import RequestFactory
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from consortium.membership.api.authentication import BearerTokenAuthentication
from consortium.membership.models import User
from tests.factories.membership import World, make_world

CALLBACK = "http://127.0.0.1/callback"


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def person(world, as_system) -> User:
    with as_system():
        return User.objects.get(email="admin@hospital.example")


def claims(person: User, **changes: object) -> dict[str, object]:
    now = int(datetime.now(UTC).timestamp())
    return {
        "iss": settings.OIDC_ISSUER,
        "aud": settings.OIDC_AUDIENCE,
        "sub": str(person.pk),
        "iat": now,
        "exp": now + 60,
    } | changes


def sign(body: dict[str, object]) -> str:
    return jwt.encode(body, settings.IDP_OIDC_PRIVATE_KEY, algorithm="RS256")


def authenticate(token: str, **headers: str):
    request = Request(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}", **headers}))
    return BearerTokenAuthentication().authenticate(request), request._request


def test_a_token_speaks_for_its_person_and_their_organization(person, world):
    (user, _), request = authenticate(sign(claims(person)))

    assert user == person
    assert request.organization == world.hospital
    assert request.roles == {"admin"}


def test_a_token_cannot_act_for_an_organization_without_a_role_there(person, world):
    _, request = authenticate(sign(claims(person)), **{"X-Organization": str(world.bank.pk)})

    assert request.organization == world.hospital


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-service"},
        {"exp": int(time.time()) - 3_600},
        {"sub": "6c1e2f2e-3a5c-4c1b-9b67-0d9a4a2f7c11"},
        {"sub": "admin"},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(person, change):
    with pytest.raises(AuthenticationFailed):
        authenticate(sign(claims(person, **change)))


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub"])
def test_a_token_without_a_required_claim_is_refused(person, missing):
    body = claims(person)
    del body[missing]

    with pytest.raises(AuthenticationFailed):
        authenticate(sign(body))


def test_an_unsigned_and_a_symmetrically_signed_token_are_refused(person):
    unsigned = jwt.encode(claims(person), key="", algorithm="none")
    symmetric = jwt.encode(claims(person), key=secrets.token_bytes(64), algorithm="HS256")

    for token in (unsigned, symmetric, "not.a.token", "", "a b"):
        with pytest.raises(AuthenticationFailed):
            authenticate(token)


def test_a_deactivated_persons_token_is_refused(person, as_system):
    with as_system():
        User.objects.filter(pk=person.pk).update(is_active=False)

    with pytest.raises(AuthenticationFailed):
        authenticate(sign(claims(person)))


def test_the_embedded_provider_gives_a_token_for_a_code_and_its_verifier_only(client, person, as_system):
    with as_system():
        TokenClient.objects.create(
            id="cli", name="Command line", type="public", skip_consent=True, redirect_uris=CALLBACK, scopes="openid"
        )
    client.post("/accounts/login/", {"login": person.email, "password": "a long pass phrase"})
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "cli",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }

    def code() -> str:
        answer = client.get("/identity/o/authorize", asked)
        return parse_qs(urlsplit(answer["Location"]).query)["code"][0]

    def exchange(given: str):
        form = {
            "grant_type": "authorization_code",
            "client_id": "cli",
            "redirect_uri": CALLBACK,
            "code": code(),
            "code_verifier": given,
        }
        return client.post("/identity/o/api/token", form)

    assert exchange("another verifier, long enough to be one at all").status_code == 400
    (user, _), _ = authenticate(exchange(verifier).json()["access_token"])
    assert user == person
