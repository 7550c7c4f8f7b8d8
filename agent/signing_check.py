"""Whether each key signs, and whether the registries list it: what `consilium-site signer check` says."""

from collections.abc import Iterator

from agent.chain_check import Finding
from agent.keystore import KeyPurpose
from agent.site import Site
from agent.wording import gettext as _
from consortium.kernel.errors import ConsiliumError
from contracts.signing.keys import SigningKey
from contracts.signing.web3signer import Web3SignerKey


def look_at_keys(site: Site) -> list[Finding]:
    """Return what is well and not well with each key; never raises for a signer or a node that is away."""
    return [finding for purpose in KeyPurpose for finding in _look_at_purpose(site, purpose)]


def _look_at_purpose(site: Site, purpose: KeyPurpose) -> Iterator[Finding]:
    try:
        held = site.keyring.held(purpose)
    except ConsiliumError as error:
        yield Finding(f"{purpose}_key", False, error.message)
        return
    for key in held:
        yield _tried(site, purpose, key)
    for consortium in site.pins.consortia():
        try:
            listed = site.registered.address(purpose, consortium)
        except ConsiliumError as error:
            yield Finding(f"{purpose}_listed", False, error.message)
            continue
        words = {"consortium": consortium, "purpose": purpose, "address": listed}
        is_ours = any(key.address == listed for key in held)
        text = _("%(consortium)s lists the %(purpose)s key %(address)s") % words
        yield Finding(f"{purpose}_listed", is_ours, text if is_ours else text + _(", which is not here"))


def _tried(site: Site, purpose: KeyPurpose, key: SigningKey) -> Finding:
    words = {"purpose": purpose, "address": key.address, "place": key.place}
    try:
        if isinstance(key, Web3SignerKey) and not key.is_loaded():
            return Finding(
                f"{purpose}_key", False, _("The signer has not loaded the %(purpose)s key %(address)s") % words
            )
        site.signer.try_key(purpose, key)
    except ConsiliumError as error:
        text = _("The %(purpose)s key %(address)s (%(place)s) does not sign: ") % words + error.message
        return Finding(f"{purpose}_key", False, text)
    return Finding(f"{purpose}_key", True, _("The %(purpose)s key %(address)s (%(place)s) signs") % words)
