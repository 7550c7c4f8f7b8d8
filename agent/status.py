"""The state of a site in findings: node, each consortium, platform, letters."""

import asyncio

from agent.chain import Consortium
from agent.chain_check import Finding
from agent.desk import BallotDesk
from agent.site import Site
from agent.wording import gettext as _
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.secp256k1 import checksum_address


async def look_at_site(site: Site, desk: BallotDesk) -> list[Finding]:
    """Return all that is well and not well; never raises for something that is away."""
    findings = await asyncio.to_thread(site.check.node)
    if (allow_list := await asyncio.to_thread(site.node_keeper.finding)) is not None:
        findings.append(allow_list)
    try:
        offered = await desk.offered_consortia()
    except ConsiliumError as error:
        return [*findings, Finding("platform", False, error.message), _work(site)]
    findings.append(
        Finding("platform", True, _("The platform answers; this member's consortia there: %d") % len(offered))
    )
    for one in offered:
        try:
            contracts = {name: checksum_address(address) for name, address in one.contracts.items()}
        except ConsiliumError as error:
            findings.append(Finding("contracts", False, error.message))
            continue
        consortium = Consortium(one.id, one.name, one.chain_id, contracts)
        found = await asyncio.to_thread(site.check.consortium, consortium)
        findings += [Finding(finding.code, finding.is_well, f"{one.name}: {finding.text}") for finding in found]
    return [*findings, _work(site)]


def _work(site: Site) -> Finding:
    stopped = site.switch.is_stopped
    return Finding("work", not stopped, _("Work is stopped by the member") if stopped else _("Work is allowed"))
