"""Steps 3 and 4: every patient's consent is imported at its hospital, epochs are anchored, data sets registered."""

import json
import re
from typing import Any

from consortium.demo.consents import as_csv, as_ndjson, consents_of, data_set_description
from consortium.demo.portal import Visitor
from consortium.demo.sites import Site, wait_for
from consortium.demo.story import Story
from consortium.demo.world import World, at_each

EXACT_COUNT = re.compile(r'"(rows|count|records)"')


def tell(story: Story, world: World) -> None:
    if world.stands("consents"):
        return
    with story.step("3  Consents"):
        story.note("generated R4 consents with a fixed seed: the table of 1991 has none")
        reports = at_each(world.sites, _import)
        accepted = sum(report["accepted"] for report in reports)
        patients = sum(site.hospital.patients for site in world.sites)
        story.claim(f"{patients} consents imported at five hospitals", accepted == patients, reports)
        _check_bad_line(story, world.sites[0])
        with world.admin(world.sites[0]) as member:
            members = wait_for(60, lambda: _anchored(member, world), "an epoch of every hospital on the chain")
            story.claim("each hospital's epoch is anchored, its size shown as a band", _are_bands(members), members)
            summary = member.get(f"consents/summary/{world.consortium['id']}")
            permitting = len(consents_of(world.sites[0].hospital).permitting())
            own = summary["own"]["permitting_subjects"]
            story.claim(f"the hospital itself sees exactly: {permitting} permit research", own == permitting, own)
    with story.step("4  Data sets"):
        at_each(world.sites, _register)
        with world.admin(world.sites[1]) as member:
            found = wait_for(30, lambda: _data_sets(member), "the data sets at the platform")
            shown = json.dumps(found)
            exact = [site.hospital.patients for site in world.sites if f": {site.hospital.patients}," in shown]
            story.claim("five data sets registered with schema, terms and bands", len(found) == 5, len(found))
            story.claim("no row and no exact count went with them", not exact and not EXACT_COUNT.search(shown), shown)
    world.finish("consents")


def _import(site: Site) -> dict[str, int]:
    name = site.put_file("consents.ndjson", as_ndjson(consents_of(site.hospital)))
    return _report(site.run("consents", "import", name))


def _report(text: str) -> dict[str, int]:
    taken = re.search(r"(\d+) of (\d+) consents taken, (\d+) refused", text)
    accepted, lines, refused = map(int, taken.groups()) if taken else (0, 0, 0)
    return {"accepted": accepted, "lines": lines, "refused": refused}


def _check_bad_line(story: Story, site: Site) -> None:
    """A line that FHIR forbids stands among good ones: it is named, and nothing of it is kept."""
    resource = json.loads(as_ndjson(consents_of(site.hospital)).splitlines()[0])
    resource["id"], resource["provision"]["type"] = "malformed", "maybe"
    name = site.put_file("malformed.ndjson", json.dumps(resource) + "\n")
    shown = site.run_refused("consents", "import", name)
    story.claim("a malformed line is refused by line and element", "line 1: Consent.provision.type" in shown, shown)


def _anchored(visitor: Visitor, world: World) -> list[dict[str, Any]] | None:
    members = visitor.get(f"consents/summary/{world.consortium['id']}")["members"]
    return members if len(members) == len(world.sites) else None


def _are_bands(members: list[dict[str, Any]]) -> bool:
    return all(member["band"] in (0, 10, 25, 50, 100, 250, 500) for member in members)


def _register(site: Site) -> None:
    site.account.own(site.folder / "data", 0o700)
    site.put_file("data/patients.csv", as_csv(site.hospital))
    site.run("data-set", "register", site.put_file("data/cardiac.json", data_set_description("patients.csv")))


def _data_sets(visitor: Visitor) -> list[dict[str, Any]] | None:
    found: list[dict[str, Any]] = visitor.get("data-sets")
    return found if len(found) == 5 else None
