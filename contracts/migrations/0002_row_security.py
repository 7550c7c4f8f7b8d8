"""Members read what their consortium sends and hears; they ask for calls of their own; the system does the rest."""

from django.db import migrations

from consortium.common.row_security import (
    CONSORTIA,
    ORGANIZATION,
    EnableRowSecurity,
    Policy,
    owner_reads,
    read_by_consortium,
    system,
)
from consortium.common.tenancy import APP_ROLE

# A member asks; only the dispatcher signs, and only the system deploys: a member's row that named a
# constructor could otherwise put another contract in the place of the consortium's.
ASKS = (
    f"organization_id = {ORGANIZATION} AND consortium_id IN {CONSORTIA} AND state = 'recorded' "
    "AND function NOT IN ('constructor', 'fill_nonce') AND sender = '' AND nonce IS NULL AND raw IS NULL "
    "AND transaction_hash = ''"
)

# What a probe may know, asked by a process that sees no tenant's row: ages and counts, nothing of the calls.
HEALTH = """
CREATE FUNCTION consilium_chain_health(
    OUT oldest_unsent timestamptz, OUT oldest_in_flight timestamptz, OUT unsent bigint, OUT in_flight bigint, OUT faulty_outcomes bigint,
    OUT streams bigint, OUT lowest_position bigint, OUT failed_streams bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT
        (SELECT min(created_at) FROM contracts_outboxtransaction WHERE state = 'recorded'),
        (SELECT min(submitted_at) FROM contracts_outboxtransaction WHERE state = 'submitted'),
        (SELECT count(*) FROM contracts_outboxtransaction WHERE state = 'recorded'),
        (SELECT count(*) FROM contracts_outboxtransaction WHERE state = 'submitted'),
        (SELECT count(*) FROM contracts_outboxtransaction
          WHERE state IN ('confirmed', 'failed') AND outcome_delivered_at IS NULL AND outcome_error <> ''),
        (SELECT count(*) FROM contracts_chaincursor),
        (SELECT min(position) FROM contracts_chaincursor),
        (SELECT count(*) FROM contracts_chaincursor c WHERE c.halted_text <> '' OR EXISTS (
            SELECT 1 FROM contracts_chaineventrecord e
             WHERE e.consortium_id = c.consortium_id AND e.applied_at IS NULL AND e.failed_text <> ''))
$$;
GRANT EXECUTE ON FUNCTION consilium_chain_health() TO consilium_app, consilium_system;
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_initial"), ("membership", "0002_row_security")]
    operations = [
        EnableRowSecurity(
            "contracts_outboxtransaction",
            [
                *read_by_consortium(),
                Policy("author_asks", "INSERT", APP_ROLE, check=ASKS),
                *system(),
                *owner_reads(),
            ],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity("contracts_relayaccount", system(), app=""),
        EnableRowSecurity("contracts_contractdeployment", [*read_by_consortium(), *system()], app="SELECT"),
        EnableRowSecurity("contracts_chaincursor", [*read_by_consortium(), *system(), *owner_reads()], app="SELECT"),
        EnableRowSecurity(
            "contracts_chaineventrecord", [*read_by_consortium(), *system(), *owner_reads()], app="SELECT"
        ),
        migrations.RunSQL(HEALTH, "DROP FUNCTION consilium_chain_health()"),
    ]
