"""What a platform that is compromised with all its secrets tries in the story; each attempt has to fail.

Run as a process of the platform: `python -m consortium.demo.attacks PLAN ORGANIZATION`.
"""

import json
import sys
import uuid
from datetime import timedelta
from typing import Any

import django

WAIT_SECONDS = 20


def tampered_plan(plan_id: str, organization_id: str) -> dict[str, Any]:
    """Ask a site to train on a plan of which one byte was changed after its approval; return what the site says."""
    from django.db import transaction
    from django.utils import timezone

    from consortium.common import blobs
    from consortium.common.tenancy import act_for_all
    from consortium.demo.sites import wait_for
    from consortium.kernel.identifiers import to_hex
    from consortium.membership.channel import work
    from consortium.membership.models import WorkItem
    from training.models import Plan
    from training.services.plans import document_of

    run = uuid.uuid4()
    with transaction.atomic(), act_for_all():
        plan = Plan.objects.select_related("proposal").get(pk=plan_id)
        document = document_of(plan)
        changed = document.to_bytes().replace(b'"local_steps":20', b'"local_steps":90')
        digest = blobs.put(consortium_id=plan.consortium_id, data=changed, media_type=blobs.JSON_TYPE)
        weights = document.training_plan.initial_weights(run)
        item = work.publish(
            consortium_id=plan.consortium_id,
            organization_id=uuid.UUID(organization_id),
            kind="commit",
            payload={
                "run": str(run),
                "round": 1,
                "attempt": 1,
                "plan": digest,
                "decision": plan.proposal.chain_key if plan.proposal else "",
                "terms": {
                    name: to_hex(value) if isinstance(value, bytes) else value
                    for name, value in document.terms.fields().items()
                },
                "weights": blobs.put(consortium_id=plan.consortium_id, data=weights),
            },
            deadline=timezone.now() + timedelta(seconds=WAIT_SECONDS),
        )

    def answered() -> WorkItem | None:
        with transaction.atomic(), act_for_all():
            found = WorkItem.objects.get(pk=item.pk)
        return found if found.answered_at else None

    found = wait_for(WAIT_SECONDS, answered, "the site's answer")
    return {"state": found.state, "code": found.refusal_code, "text": found.refusal_text}


if __name__ == "__main__":
    django.setup()
    sys.stdout.write(json.dumps(tampered_plan(*sys.argv[1:])) + "\n")
