"""Errors of the consent rules."""

from consortium.kernel.errors import ConflictError


class GrantTransitionError(ConflictError):
    """A grant's state does not allow the step; record a new grant instead."""

    code = "grant_transition"
