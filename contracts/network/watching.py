"""What this deployment looks at: its settings and the registries of its consortia. Here alone Django is known."""

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from consortium.common.tenancy import WrongDatabaseRoleError, act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.interface import Chain
from contracts.models import ChainEventRecord, ContractDeployment
from contracts.network.asking import NamedNode
from contracts.network.operations_port import OperationsPort
from contracts.network.status import Watch

# What a monitor waits for one answer.
ASK_SECONDS = 3.0
ZERO_ADDRESS = "0x" + "00" * 20
# The registry's OrganizationStatus: a suspended member's node goes on.
_BELONGS = frozenset({1, 2})


def nodes_from_settings() -> list[NamedNode]:
    """Each node of CHAIN_RPC_URL by itself."""
    # web3 takes a second to import: `chain genesis` does not wait for it.
    from contracts.gateway import Gateway

    urls = [url.strip() for url in settings.CHAIN_RPC_URL.split(",") if url.strip()]
    return [
        NamedNode(node_name(url), Gateway([url], chain_id=settings.CHAIN_ID, timeout_seconds=ASK_SECONDS))
        for url in urls
    ]


def operations_from_settings() -> list[NamedNode]:
    """The operations ports of CHAIN_OPERATIONS_URL."""
    file = Path(settings.CHAIN_OPERATIONS_TOKEN_FILE) if settings.CHAIN_OPERATIONS_TOKEN_FILE else None
    return [
        NamedNode(node_name(url), OperationsPort(url, token_file=file, timeout_seconds=ASK_SECONDS))
        for url in settings.CHAIN_OPERATIONS_URL
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
    """Addresses of the nodes of all members that belong to a consortium; None for a role that sees no rows."""
    try:
        with act_for_all():
            found = ContractDeployment.objects.filter(name="ConsortiumRegistry")
            registries = [(row.consortium_id, row.reference) for row in found]
            admitted = ChainEventRecord.objects.filter(name="OrganizationAdmitted")
            ids = [(row.consortium_id, row.event.arguments["organization"]) for row in admitted]
    except WrongDatabaseRoleError:
        return None
    try:
        rows = [chain.call(ref, "organization", one) for home, ref in registries for at, one in ids if at == home]
    except ConsiliumError:
        return None
    return {row["validator"] for row in rows if row["status"] in _BELONGS and row["validator"] != ZERO_ADDRESS}


def node_name(url: str) -> str:
    """Host and port: what people need of an address, without a name and password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
