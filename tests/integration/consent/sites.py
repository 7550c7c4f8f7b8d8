"""What a site does in these tests: import generated consents, carry its letters, take withdrawals in."""

import json
from pathlib import Path
from typing import Any

from agent.client import PREFIX
from agent.consents.loop import _request
from agent.consents.office import ConsentOffice
from agent.consents.outgoing import Outgoing
from consent.domain.times import instant_from_text
from consent.fhir.generator import GeneratedConsents, generate_consents
from tests.integration.channel.agents import FakeSite

MADE_FOR = instant_from_text("2026-11-01T00:00:00Z")


def import_consents(office: ConsentOffice, consortium: Any, count: int, *, seed: int = 1) -> GeneratedConsents:
    made = generate_consents([f"patient-{number}" for number in range(count)], seed=seed, made_for=MADE_FOR)
    path = Path(office.root.parent / f"consents-{seed}.ndjson")
    path.write_text("\n".join(map(json.dumps, made.resources)))
    report = office.importer.import_file(path, consortia=[consortium.pk])
    assert (report.accepted, report.refused) == (count, ())
    return made


def post(site: FakeSite, message: Outgoing, **changes: Any):
    body = {**message.body, **changes}
    return site.post(message.path.removeprefix(f"{PREFIX}/"), body, **{"Idempotency-Key": message.digest})


def carry(office: ConsentOffice, site: FakeSite) -> list[str]:
    """Post what waits, in order; return the last parts of the paths."""
    carried = []
    for message in office.mail.waiting():
        answer = post(site, message)
        assert answer.status_code in (200, 201, 202), answer.content
        office.mail.settle(message, "sent")
        carried.append(message.path.rsplit("/", 1)[1])
    return carried


def take_withdrawals(office: ConsentOffice, site: FakeSite) -> int:
    answer = site.get("consents/withdrawals")
    assert answer.status_code == 200
    return sum(office.withdrawals.withdraw(_request(item)).is_new for item in answer.json()["results"])


def signed_again(office: ConsentOffice, message: Outgoing, **changes: Any) -> Outgoing:
    """Return the document with changes, signed by the site itself."""
    document = {name: value for name, value in message.body.items() if name not in ("digest", "signature")}
    return office.documents.signed(document | changes, message.path)
