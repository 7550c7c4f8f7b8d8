"""How many witnesses a consortium asks for: the registry's number, followed by its events."""

from uuid import UUID

from audit.models import AuditLog, AuditRecord, PersonalField, RecordKey, WitnessRule
from contracts.events import ChainEvent
from contracts.models import ChainEventRecord
from contracts.projector import projects
from contracts.reading.read_models import read_model, scratch

REGISTRY = "ConsortiumRegistry"
EVENT = "ParametersSet"
read_model(WitnessRule, identity=("consortium_id",), seeded="false", written=("quorum", "set_in_block"), ours={})
scratch(AuditLog, "an act's record opens its log")
for _table in (AuditRecord, RecordKey, PersonalField):
    scratch(_table, "acts that events tell of are recorded when they are handled first", copied=False)


@projects(EVENT, contract=REGISTRY)
def parameters_set(consortium_id: UUID, event: ChainEvent) -> None:
    """Keep the number that the members voted; the same event again changes nothing."""
    WitnessRule.objects.update_or_create(
        consortium_id=consortium_id, defaults={"quorum": quorum_in(event), "set_in_block": event.block_number}
    )


def witness_quorum(consortium_id: UUID) -> int | None:
    """Return the number of co-signatures that a checkpoint needs; None before the registry's first event is read."""
    rule = WitnessRule.objects.filter(consortium_id=consortium_id).first()
    if rule is not None:
        return rule.quorum
    # A consortium that was founded before this projection has the number in its stored events alone.
    stored = ChainEventRecord.objects.filter(consortium_id=consortium_id, contract=REGISTRY, name=EVENT)
    last = stored.order_by("block_number", "log_index").last()
    return None if last is None else quorum_in(last.event)


def quorum_in(event: ChainEvent) -> int:
    """Return the number in a `ParametersSet` event."""
    return int(event.arguments["parameters"]["witnessQuorum"])
