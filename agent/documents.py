"""Documents behind a decision: shown only if the chain names them."""

from collections.abc import Callable

from agent.chain import Chain
from agent.errors import ContradictionError
from agent.questions import Question
from consortium.kernel.digests import digest_to_bytes32, sha256_digest

MAX_DOCUMENT_BYTES = 1024 * 1024
Binding = Callable[[Chain, Question, bytes], bool]
_BINDINGS: dict[str, Binding] = {}


def binds(kind: str) -> Callable[[Binding], Binding]:
    """Register how a kind of decision names its document, where its subject is not simply the document's SHA-256."""

    def register(binding: Binding) -> Binding:
        _BINDINGS[kind] = binding
        return binding

    return register


def require_named(chain: Chain, question: Question, document: bytes) -> None:
    """Refuse a document that is not the one which the question's subject stands for.

    Raises
    ------
    ContradictionError
        If the chain does not name these bytes.
    """
    if question.subject == digest_to_bytes32(sha256_digest(document)):
        return
    binding = _BINDINGS.get(question.kind)
    if binding is None or not binding(chain, question, document):
        raise ContradictionError(
            "The platform shows a document that is not the one the chain names for this decision. Nothing was signed; "
            "ask the other members what they see."
        )


@binds("ReleaseModel")
@binds("RecallModel")
def is_card_of_model(chain: Chain, question: Question, document: bytes) -> bool:
    """A model's document is its card, whose digest its registration carries."""
    model = chain.call(question.consortium.reference("ModelRegistry"), "modelOf", question.subject)
    return bool(model["card"] == digest_to_bytes32(sha256_digest(document)))
