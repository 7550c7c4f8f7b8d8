"""What this deployment looks at: its settings and the registries of its consortia. Here alone Django is known."""

from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from consortium.common.tenancy import WrongDatabaseRoleError, act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.chain import tokens_from_settings, urls_from_settings
from contracts.errors import ChainAccessRefusedError
from contracts.events import ContractReference
from contracts.interface import Chain
from contracts.models import ChainEventRecord, ContractDeployment
from contracts.network.applicants import find_applicant
from contracts.network.asking import NamedNode, Node
from contracts.network.errors import NodeNotInSyncError
from contracts.network.joining import Candidate
from contracts.network.operations_port import OperationsPort
from contracts.network.points import State
from contracts.network.registered import Registered
from contracts.network.status import Watch
from contracts.network.sync import seen_in_sync
from contracts.rpc.tokens import FileToken

# What a monitor waits for one answer.
ASK_SECONDS = 3.0


def nodes_from_settings() -> list[NamedNode]:
    """Each node of CHAIN_RPC_URL by itself."""
    # web3 takes a second to import: `chain genesis` does not wait for it.
    from contracts.gateway import Gateway

    return [
        NamedNode(
            node_name(url),
            Gateway([url], chain_id=settings.CHAIN_ID, timeout_seconds=ASK_SECONDS, tokens=tokens),
        )
        for url, tokens in zip(urls_from_settings(), tokens_from_settings(), strict=False)
    ]


def operations_from_settings() -> list[NamedNode]:
    """The operations ports of CHAIN_OPERATIONS_URL, with one file of a token for all of them or one each.

    Raises
    ------
    ChainAccessRefusedError
        If there are as many files as there are no ports.
    """
    urls = settings.CHAIN_OPERATIONS_URL
    files = [Path(name.strip()) for name in settings.CHAIN_OPERATIONS_TOKEN_FILE.split(",") if name.strip()]
    if len(files) > 1 and len(files) != len(urls):
        raise ChainAccessRefusedError(
            f"{len(files)} token files for {len(urls)} operations ports: name one for all, or one each in their order."
        )
    of_each: list[Path | None] = [*files] if len(files) == len(urls) else [files[0] if files else None] * len(urls)
    return [
        NamedNode(node_name(url), OperationsPort(url, token_file=file, timeout_seconds=ASK_SECONDS))
        for url, file in zip(urls, of_each, strict=True)
    ]


def is_development() -> bool:
    return bool(settings.CHAIN_ID == settings.DEVELOPMENT_CHAIN_ID)


def watch_from_settings(chain: Chain) -> Watch:
    """What `chain status` looks at."""
    return Watch(
        nodes=nodes_from_settings(),
        operations=operations_from_settings(),
        registered=None if is_development() else registered_nodes(chain),
        is_development=is_development(),
    )


def registered_nodes(chain: Chain) -> set[str] | None:
    """Addresses of the nodes of all members that belong to a consortium; None for who cannot read them."""
    try:
        with act_for_all():
            found = ContractDeployment.objects.filter(name="ConsortiumRegistry")
            registries = [(row.consortium_id, row.reference) for row in found]
            admitted = ChainEventRecord.objects.filter(name="OrganizationAdmitted")
            ids = [(row.consortium_id, row.event.arguments["organization"]) for row in admitted]
    except (WrongDatabaseRoleError, DatabaseError):
        return None
    try:
        pairs = [(reference, one) for home, reference in registries for at, one in ids if at == home]
        rows = [Registered.of(one, chain.call(reference, "organization", one)) for reference, one in pairs]
    except ConsiliumError:
        return None
    return {row.validator for row in rows if row.belongs}


def candidate_from_settings(
    chain: Chain, *, consortium: str, organization: str, node: str = "", token_file: Path | None = None
) -> Candidate:
    """What `chain join` looks at.

    Raises
    ------
    ChainError
        If `node` is no address that can be asked, or our own node does not answer for the registry.
    """
    with act_for_all():
        applicant = find_applicant(consortium, organization)
        registry = applicant and _registry_of(applicant.consortium_id)
    record = (
        chain.call(registry, "organization", uuid_to_bytes32(applicant.organization_id))
        if applicant and registry
        else None
    )
    return Candidate(
        applicant=applicant,
        record=record,
        nodes=nodes_from_settings(),
        operations=operations_from_settings(),
        own=_candidates_own(node, token_file) if node else None,
        is_development=is_development(),
    )


def require_seen_in_sync(chain: Chain, consortium_id: UUID, organization: bytes) -> None:
    """Refuse to relay that an organization's node be activated unless our nodes see it connected and in sync.

    On the development chain, which has one node for everybody, there is nothing to see.

    Raises
    ------
    NodeNotInSyncError
        If an operations port of ours does not see it, or none of them can tell.
    """
    if is_development() or (registry := _registry_of(consortium_id)) is None:
        return
    validator = chain.call(registry, "organization", organization)["validator"]
    found = [seen_in_sync(validator, port.node) for port in operations_from_settings()]
    not_seen = [point for point in found if point.state in (State.WRONG, State.WAITING)]
    if not_seen or not any(point.state is State.WELL for point in found):
        point = next(iter([*not_seen, *found]), seen_in_sync(validator, None))
        remedy = point.remedy if found else "The operator names the nodes' operations ports in CHAIN_OPERATIONS_URL."
        raise NodeNotInSyncError(f"{point.text} A validator is activated only after it is seen in sync. {remedy}")


def _registry_of(consortium_id: UUID) -> ContractReference | None:
    found = ContractDeployment.objects.filter(consortium_id=consortium_id, name="ConsortiumRegistry").first()
    return found.reference if found else None


def _candidates_own(url: str, token_file: Path | None) -> Node:
    if url.startswith(("ws://", "wss://")):
        return OperationsPort(url, token_file=token_file, timeout_seconds=ASK_SECONDS)
    from contracts.gateway import Gateway

    # Not a node of ours: it gets no token of ours, but the one that its member gave for it.
    tokens = FileToken(token_file) if token_file else None
    return Gateway([url], chain_id=settings.CHAIN_ID, timeout_seconds=ASK_SECONDS, tokens=tokens)


def node_name(url: str) -> str:
    """Host and port: what people need of an address, without a name and password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
