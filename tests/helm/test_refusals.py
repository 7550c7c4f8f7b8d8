"""Values that would be unsafe or cannot work are refused before anything is installed, with what to do instead."""

import pytest

from tests.helm.charts import PLATFORM, SITE, RefusedError, values_of

KEY = "0x" + "1a" * 64
REFUSED = [
    (PLATFORM, {"webb": {"replicas": 2}}, "webb"),
    (PLATFORM, {"web": {"replica": 2}}, "replica"),
    (PLATFORM, {"secrets": {"databaseApp": {"password": "hunter2"}}}, "additional properties 'password' not allowed"),
    (PLATFORM, {"secrets": {"databaseApp": {"url": "postgres://u:p@h/d"}}}, "additional properties 'url' not allowed"),
    (PLATFORM, {"secrets": {"relay": {"existingSecret": ""}}}, "Make a Secret with RELAY_KEY"),
    (PLATFORM, {"secrets": {"databaseApp": {"existingSecret": "databaseowner-secret"}}}, "Make three"),
    (PLATFORM, {"secrets": {"relay": {"keys": []}}}, "/secrets/relay/keys"),
    (PLATFORM, {"secrets": {"relay": {"keys": ["../other"]}}}, "does not match pattern"),
    (PLATFORM, {"beat": {"replicas": 2}}, "beat.replicas must be 1"),
    (PLATFORM, {"publicUrl": "http://consilium.example.org"}, "Set it to the https address"),
    (PLATFORM, {"logOrigin": ""}, "it stands in every checkpoint and never changes"),
    (PLATFORM, {"chain": {"rpcUrls": []}}, "names no node"),
    (PLATFORM, {"chain": {"rpcUrls": ["besu:8545"]}}, "http or https address"),
    (PLATFORM, {"chain": {"rpcUrls": ["https://user:secret@besu:8545"]}}, "name it without"),
    (PLATFORM, {"chain": {"id": 0}}, "Set the consortium's chain id"),
    (PLATFORM, {"chain": {"id": "1337"}}, "got string, want integer"),
    (PLATFORM, {"ingress": {"enabled": True}}, "Name the Secret with the certificate"),
    (PLATFORM, {"founding": {"enabled": True}}, "founding.json"),
    (PLATFORM, {"networkPolicy": {"postgresql": {"peers": []}}}, "what is not named is cut off"),
    (PLATFORM, {"networkPolicy": {"webPeers": []}}, "webPeers names nobody"),
    (PLATFORM, {"networkPolicy": {"broker": {"peers": [{}]}}}, "minProperties"),
    (PLATFORM, {"oidc": {"jwksUrl": "https://keycloak.example.org/certs"}}, "identityProvider.peers names nobody"),
    (PLATFORM, {"image": {"tag": "latest"}}, "/image/tag"),
    (PLATFORM, {"image": {"digest": "sha256:abc"}}, "does not match pattern"),
    (PLATFORM, {"runAsUser": 0}, "/runAsUser"),
    (PLATFORM, {"web": {"replicas": 1}}, "could ever be drained"),
    (PLATFORM, {"web": {"terminationGracePeriodSeconds": 30}}, "preStopSeconds and 50 more"),
    (PLATFORM, {"worker": {"resources": {"limits": {"memory": "much"}}}}, "/worker/resources/limits/memory"),
    (SITE, {"organization": {"id": ""}}, "its operator tells it"),
    (SITE, {"organization": {"id": "general"}}, "does not match pattern"),
    (SITE, {"platform": {"url": "http://consilium.example.org"}}, "Set the platform's https address"),
    (SITE, {"chain": {"rpcUrls": ["http://user:secret@besu:8545"]}}, "name it without"),
    (SITE, {"chain": {"rpcUrls": []}}, "its own node"),
    (SITE, {"secrets": {"passphrase": {"existingSecret": ""}}}, "Make a Secret with PASSPHRASE"),
    (SITE, {"secrets": {"passphrase": {"value": "secret"}}}, "additional properties 'value' not allowed"),
    (SITE, {"planCode": {"walls": ""}}, "accept that a plan's code runs behind its limits alone"),
    (SITE, {"planCode": {"walls": "none"}}, "value must be one of"),
    (SITE, {"planCode": {"walls": "namespaces"}}, "Name the profile on the nodes"),
    (SITE, {"planCode": {"seccompProfile": "x.json"}}, "remove the profile"),
    (SITE, {"replicas": 2}, "additional properties 'replicas' not allowed"),
    (SITE, {"rules": {"minimumCohort": 0}}, "minimum"),
    (SITE, {"networkPolicy": {"platform": {"peers": []}}}, "platform.peers names nobody"),
    (SITE, {"signer": {"voteAddress": "0x12"}}, "does not match pattern"),
    (SITE, {"signer": {"voteIdentifier": "0x" + "1a" * 20}}, "does not match pattern"),
    (SITE, {"signer": {"siteIdentifier": KEY}}, "signer.url is not set"),
    (SITE, {"signer": {"url": "http://signer:9000", "siteIdentifier": KEY}}, "not asked in the clear"),
    (SITE, {"signer": {"url": "https://user@signer:9000", "siteIdentifier": KEY}}, "not asked in the clear"),
    (SITE, {"signer": {"url": "https://signer:9000"}}, "no key of it"),
    (SITE, {"signer": {"url": "https://signer:9000", "siteIdentifier": KEY}}, "Make a Secret with tls.crt"),
    (SITE, {"signer": {"timeoutSeconds": 10}}, "maximum"),
    (SITE, {"chain": {"operationsUrl": "ws://besu:8546"}}, "wss:// to a proxy with TLS"),
    (SITE, {"chain": {"operationsUrl": "wss://besu:8546"}}, "Make a Secret with TOKEN"),
    (SITE, {"node": {"accounts": ["0x" + "3c" * 20]}}, "names no port"),
    (SITE, {"node": {"enodes": ["192.0.2.14:30303"]}}, "does not match pattern"),
    (PLATFORM, {"chain": {"operationsUrls": ["ws://besu:8546"]}}, "wss:// to a proxy with TLS"),
    (PLATFORM, {"chain": {"operationsUrls": ["wss://besu:8546"]}}, "Make a Secret with TOKEN"),
    (PLATFORM, {"relaySigner": {"keys": [KEY]}}, "relaySigner.url no signer"),
    (PLATFORM, {"relaySigner": {"keys": ["0x" + "1a" * 20]}}, "does not match pattern"),
    (PLATFORM, {"relaySigner": {"url": "http://signer:9000", "keys": [KEY]}}, "not asked in the clear"),
    (PLATFORM, {"relaySigner": {"url": "https://signer:9000"}}, "names no key"),
    (PLATFORM, {"relaySigner": {"url": "https://signer:9000", "keys": [KEY]}}, "Make a Secret with tls.crt"),
    (PLATFORM, {"relaySigner": {"timeoutSeconds": 31}}, "maximum"),
]


@pytest.mark.parametrize(("chart", "changes", "words"), REFUSED)
def test_a_wrong_value_is_refused_in_words_that_help(engine, chart, changes, words):
    with pytest.raises(RefusedError) as refused:
        engine.render(chart, values_of(chart, changes=changes))

    assert words in str(refused.value)
