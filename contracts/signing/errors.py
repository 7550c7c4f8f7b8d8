"""What can go wrong between us and what holds a key. No message of theirs holds a secret or a payload."""

from consortium.kernel.errors import ConsiliumError


class SignerError(ConsiliumError):
    """What holds a key gave no signature that can be used; nothing was signed."""

    code = "signer"
    http_status = 502


class SignerAwayError(SignerError):
    """The remote signer does not answer, or answers with a fault of its own; try again."""

    code = "signer_away"
    http_status = 503
    retryable = True


class SignerRefusedError(SignerError):
    """The remote signer understood and does not sign: it has no such key, or not for us."""

    code = "signer_refused"


class SignerNotTrustedError(SignerError):
    """What came back is not this key's signature over these bytes, or did not come from the signer; it is not used."""

    code = "signer_not_trusted"


class SignerFileError(SignerError):
    """A certificate or key for the line to the signer is missing, or within reach of others of the machine."""

    code = "signer_file"
    http_status = 500
