"""How far streams were applied, and setting them back."""

from contracts.models import AppliedMark, ChainEventRecord


def applied_events() -> int:
    """Events of all streams that were handed to their handlers."""
    return sum(ChainEventRecord.objects.applied(mark).count() for mark in AppliedMark.objects.all())


def all_applied() -> bool:
    """Whether no stored event waits."""
    return applied_events() == ChainEventRecord.objects.count()


def forget_applied() -> None:
    """Let all stored events wait again."""
    AppliedMark.objects.update(block_number=AppliedMark.NOWHERE, log_index=AppliedMark.NOWHERE)
