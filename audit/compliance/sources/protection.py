"""What the database itself says of the walls between tenants."""

from django.db import connection

from audit.compliance.evidence import ProtectionFacts
from consortium.membership.models import Consortium

_GUARDED = """
SELECT count(*) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relrowsecurity AND relforcerowsecurity
"""


def protection_facts(consortium: Consortium) -> ProtectionFacts:
    """Return how many tables are behind forced row level security now, and the policy that the members voted."""
    with connection.cursor() as cursor:
        cursor.execute(_GUARDED)
        return ProtectionFacts(guarded_tables=int(cursor.fetchone()[0]), policy=consortium.policy_digest)
