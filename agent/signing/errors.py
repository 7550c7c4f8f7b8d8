"""What can go wrong between this site and what holds its keys. No message of theirs holds a secret or a payload."""

from consortium.kernel.errors import ConsiliumError, UnavailableError


class SignerAwayError(UnavailableError):
    """The remote signer does not answer, or answers with a fault of its own; nothing was signed, try again."""

    code = "signer_away"


class SignerRefusedError(ConsiliumError):
    """The remote signer understood and does not sign: it has no such key, or not for us."""

    code = "signer_refused"
    http_status = 502


class SignerNotTrustedError(ConsiliumError):
    """What came back is not this key's signature over these bytes, or did not come from the signer; it is not used."""

    code = "signer_not_trusted"
    http_status = 502
