"""Step 2: four hospitals found the consortium, the fifth applies and is voted in."""

import json
import secrets
from typing import Any

from consortium.demo.policy import POLICY
from consortium.demo.portal import Visitor
from consortium.demo.programs import start_chain_programs, start_system_workers
from consortium.demo.sites import Site, outsiders_see_nothing, wait_for
from consortium.demo.story import Story
from consortium.demo.world import CONSORTIUM, World, at_each
from consortium.embedded.credentials import write_secret
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from training.federated.source_digests import runner_digest


def tell(story: Story, world: World) -> None:
    if world.stands("founding"):
        return _go_on(story, world)
    with story.step("2  Founding"):
        addresses = _move_in(world)
        _check_folders(story, world)
        world.consortium = _found(world, addresses)
        story.note("voting delay, period and timelock are seconds here, by the demonstration's policy")
        start_chain_programs(world.instance)
        start_system_workers(world.instance)
        for site in world.sites[:4]:
            site.start()
        _admit_the_fifth(story, world, addresses)
        story.record(members=5)
        world.finish("founding")
    return None


def _go_on(story: Story, world: World) -> None:
    """An earlier run founded the consortium: start what serves it and look whether it stands."""
    with story.step("2  Founding (by an earlier run of the story)"):
        start_chain_programs(world.instance)
        start_system_workers(world.instance)
        for site in world.sites:
            site.start()
        with world.admin(world.sites[4]) as member:
            wait_for(30, lambda: _active(member) == 5, "the five members")
            story.claim("five hospitals are active in the registry", _active(member) == 5, _active(member))
        story.record(members=5)


def _move_in(world: World) -> dict[str, dict[str, str]]:
    """Make the organizations on the platform and their sites beside their data; return the keys' addresses."""
    instance = world.instance
    document = instance.layout.platform / "organizations.json"
    entries = [
        {
            "slug": site.hospital.slug,
            "name": site.hospital.name,
            "people": [
                {
                    "email": site.hospital.admin,
                    "name": f"Administrator of {site.hospital.name}",
                    "roles": ["admin", "steward", "scientist", "compliance"],
                    "pass_phrase": site.admin_phrase,
                }
            ],
        }
        for site in world.sites
    ]
    write_secret(document, json.dumps(entries), instance.accounts.platform())
    ids: dict[str, str] = json.loads(instance.manage("create_organizations", str(document), role="system"))
    document.unlink()
    for site in world.sites:
        site.organization_id = ids[site.hospital.slug]
    keys = at_each(world.sites, lambda site: _found_site(world, site))
    return {site.hospital.slug: found for site, found in zip(world.sites, keys, strict=True)}


def _found_site(world: World, site: Site) -> dict[str, str]:
    addresses = world.instance.addresses
    keys = site.found(platform=world.address, chain_url=addresses.chain, chain_id=addresses.chain_id)
    # A hospital's node would make its own validator key; one development chain seals for all here.
    return {"vote_key": keys["vote"], "site_key": keys["site"], "validator": "0x" + secrets.token_hex(20)}


def _check_folders(story: Story, world: World) -> None:
    accounts = world.instance.accounts
    if not accounts.separated:
        story.note(f"not tried: the platform's user at the sites' folders ({accounts.reason})")
        return
    kept_out = [outsiders_see_nothing(site, accounts.platform()) for site in world.sites]
    story.claim("the platform's user cannot open any site's folder", all(kept_out), kept_out)


def _found(world: World, addresses: dict[str, dict[str, str]]) -> dict[str, Any]:
    instance = world.instance
    document = {
        "name": "Arizona Cardiac",
        "slug": CONSORTIUM,
        "founders": {site.hospital.slug: addresses[site.hospital.slug] for site in world.sites[:4]},
        "policy": POLICY,
        "runners": [runner_digest()],
        "guardian": {"members": [site.hospital.slug for site in world.sites[:3]], "threshold": 2},
    }
    path = instance.layout.platform / "founding.json"
    write_secret(path, json.dumps(document), instance.accounts.platform())
    instance.manage("relay", "create", role="system")
    instance.manage("log_key", "create", "--if-missing", role="system")
    founded: dict[str, Any] = json.loads(instance.manage("found_consortium", str(path), role="system"))
    return founded


def _admit_the_fifth(story: Story, world: World, addresses: dict[str, dict[str, str]]) -> None:
    founder, applicant = world.sites[0], world.sites[4]
    with world.admin(founder) as member, world.admin(applicant) as outside:
        wait_for(30, lambda: _active(member) >= 4, "the registry's founders")
        story.claim("four founders are active in the registry", _active(member) == 4, _active(member))
        story.note("the founding read back from the chain that the relay holds no right; it fails otherwise")
        seen = outside.get("consortia")["results"]
        story.claim("the fifth hospital sees nothing of the consortium before it applies", seen == [], seen)
        answer = outside.post(f"consortia/{CONSORTIUM}/applications", addresses[applicant.hospital.slug])
        story.claim("it applies", answer.status_code == 201, answer.text)
        founder.propose(_admission(world, applicant, addresses[applicant.hospital.slug], answer.json()))
        proposal = wait_for(30, lambda: _open_proposal(member), "the proposal on the chain")
        _vote(story, world, proposal["id"])
        wait_for(60, lambda: _active(member) == 5, "the admission")
        final = member.get(f"proposals/{proposal['id']}")
        story.claim("the governor executed the admission", final["state"] == "executed", final["state"])
        tally = final["tally"]
        story.claim(
            f"by {tally['yes']} yes of {tally['base']}; {final['yes_needed']} were needed",
            tally["yes"] >= final["yes_needed"] == 3,
            tally,
        )
        _check_registry(story, world, outside, applicant)
    applicant.start()


def _admission(world: World, site: Site, keys: dict[str, str], application: dict[str, Any]) -> dict[str, Any]:
    return {
        "consortium": world.consortium["id"],
        "kind": "Admit",
        "description": f"Admit {site.hospital.name}",
        "arguments": {
            "id": "0x" + site.organization_id.replace("-", "") + "00" * 16,
            "voteKey": keys["vote_key"],
            "siteKey": keys["site_key"],
            "validator": keys["validator"],
            "profile": to_hex(digest_to_bytes32(application["profile_digest"])),
        },
    }


def _vote(story: Story, world: World, proposal: str) -> None:
    """Three say yes at their agents; the fourth finds the vote decided or casts a fourth yes."""
    at_each(world.sites[:3], lambda site: site.vote(proposal, "yes"), at_once=3)
    story.note("three of four voters said yes at their own agents, each with a pass phrase")


def _check_registry(story: Story, world: World, visitor: Visitor, site: Site) -> None:
    """Compare what the database shows with what the fifth hospital reads at its own node."""
    members = {m["organization"]: m for c in visitor.get("consortia")["results"] for m in c["members"]}
    mine = members[site.organization_id]
    story.claim(
        "registry and database agree: the fifth hospital is active",
        mine["status"] == "active" and mine["chain_state"] == "confirmed",
        mine,
    )


def _active(visitor: Visitor) -> int:
    found = visitor.get("consortia")["results"]
    return sum(member["status"] == "active" for member in found[0]["members"]) if found else 0


def _open_proposal(visitor: Visitor) -> dict[str, Any] | None:
    consortium = visitor.get("consortia")["results"][0]["id"]
    found = visitor.get(f"consortia/{consortium}/proposals")["results"]
    return next((proposal for proposal in found if proposal["state"] == "active"), None)
