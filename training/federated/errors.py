"""Errors of federated training: each says what happened and what to do."""

from typing import ClassVar

from consortium.kernel.errors import ConflictError, ConsiliumError, ForbiddenError, InvalidInputError


class TensorFormatError(InvalidInputError):
    """The bytes are not a safetensors file of the expected names, types, shapes and size."""

    code = "tensor_format"


class NotFiniteError(InvalidInputError):
    """A value is NaN or infinite."""

    code = "not_finite"


class WireFormatError(InvalidInputError):
    """A message of another party does not have its agreed form."""

    code = "wire_format"


class PlanFormatError(InvalidInputError):
    """The plan's training section does not have its agreed form."""

    code = "plan_format"


class RowFormatError(InvalidInputError):
    """A row does not fit the plan's features; the message never repeats the row's value."""

    code = "row_format"


class QuantizationError(InvalidInputError):
    """A value or a plan does not fit the ring in which sites' vectors are added."""

    code = "quantization"


class RangeCheckError(InvalidInputError):
    """A decoded sum lies outside what the survivors could have sent; the attempt is abandoned."""

    code = "range_check"


class MetricUndefinedError(InvalidInputError):
    """The metric has no value on these counts."""

    code = "metric_undefined"


class ParameterBoundError(InvalidInputError):
    """n, t and c do not meet 2t > n + c and t - c >= 2."""

    code = "parameter_bound"


class KeyAgreementError(InvalidInputError):
    """A public key is malformed, repeated, of low order, or not the one committed to."""

    code = "key_agreement"


class ShareError(InvalidInputError):
    """A share is malformed, or shares do not rebuild a secret of the agreed size."""

    code = "share"


class DealRefusedError(InvalidInputError):
    """A dealer's shares do not decrypt or do not match the commitments that it signed."""

    code = "deal_refused"


class SignatureRefusedError(ForbiddenError):
    """A signature is missing, repeated, foreign, or not over the expected fields."""

    code = "signature_refused"


class SurvivorSetRefusedError(ForbiddenError):
    """A survivor set breaks a rule of protocol section 5; nothing was signed or released."""

    code = "survivor_set_refused"


class OutOfOrderError(ConflictError):
    """The step does not fit the attempt's state."""

    code = "out_of_order"


class AlreadyChosenError(ConflictError):
    """The site has already made this choice for the attempt, and otherwise."""

    code = "already_chosen"


class SecretsDestroyedError(ConflictError):
    """The attempt has ended at this site and its secrets are gone."""

    code = "secrets_destroyed"


class VerificationError(ConsiliumError):
    """The recomputed round differs from what was claimed; the verifier does not sign."""

    code = "verification_failed"
    http_status = 409


class AttemptAbandonedError(ConsiliumError):
    """The attempt cannot be completed; `fields` names role and organization where one is to blame."""

    code = "attempt_abandoned"
    http_status = 409
    # The attempt is not repeated, a new one with fresh keys is.
    retryable: ClassVar[bool] = False


class HolderBlamedError(ConsiliumError):
    """A holder released a share that its dealer never committed to.

    The release is not used. The attempt goes on if t other survivors release. `fields["organization"]`
    names the holder, `fields["dealer"]` whose share it was, where one share can be named.
    """

    code = "holder_blamed"
    http_status = 409


class DealerBlamedError(AttemptAbandonedError):
    """Shares that match their dealer's commitments rebuild a secret that does not match its own.

    The attempt is abandoned. `fields["organization"]` names the dealer.
    """

    code = "dealer_blamed"


class PlanInvalidError(InvalidInputError):
    """The plan's document breaks a rule; the message names the field."""

    code = "plan_invalid"


class UnknownFeatureError(PlanInvalidError):
    """The plan trains on a column that its data schema does not have, or has with another type."""

    code = "unknown_feature"


class UnknownPurposeError(PlanInvalidError):
    """The plan names a purpose that no consent can be given for."""

    code = "unknown_purpose"


class BoundBrokenError(PlanInvalidError):
    """n, t and c do not meet 2t > n + c and t - c >= 2, so single updates would not stay closed."""

    code = "bound_broken"
