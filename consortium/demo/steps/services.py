"""Step 1: the services are up, and nobody gets in without a pass phrase."""

import secrets

from consortium.demo.portal import CALLBACK, CLIENT_ID, Visitor
from consortium.demo.programs import await_web, begin_web, start_workers
from consortium.demo.story import Story
from consortium.demo.world import World
from consortium.embedded.credentials import write_secret


def tell(story: Story, world: World) -> None:
    instance = world.instance
    with story.step("1  Services"):
        if instance.ended_leftovers:
            story.note(f"{instance.ended_leftovers} processes of an earlier run were still there and were ended")
        instance.manage("migrate", "--verbosity", "0", role="owner")
        web = begin_web(instance, world.ports.web)
        start_workers(instance)
        instance.manage("create_token_client", CLIENT_ID, "--redirect-uri", CALLBACK, "--skip-consent")
        _make_operator(world)
        await_web(web, world.ports.web)
        _check(story, world)


def _make_operator(world: World) -> None:
    world.operator_phrase = secrets.token_urlsafe(12)
    path = world.instance.layout.platform / "operator.phrase"
    write_secret(path, world.operator_phrase, world.instance.accounts.platform())
    world.instance.manage(
        "create_operator", world.operator_email, "--pass-phrase-file", str(path), "--replace", role="system"
    )


def _check(story: Story, world: World) -> None:
    with Visitor(world.address) as visitor:
        ready = visitor.open("/readyz").json()
        # Of a kept instance the projector, which starts next, is behind the chain, so not everything is ready yet.
        answer = all(ready["checks"][name]["well"] for name in ("database", "broker"))
        story.claim("database and broker answer", answer, ready)
        role = ready["checks"]["database"]["role"]
        story.claim("the web process is connected as consilium_app", role == "consilium_app", role)
        refused = visitor.log_in(world.operator_email, "not the pass phrase")
        story.claim("a wrong pass phrase is refused", refused.status_code == 200, refused.status_code)
        accepted = visitor.log_in(world.operator_email, world.operator_phrase)
        story.claim("the operator logs in", accepted.status_code == 302, accepted.status_code)
        page = visitor.open("/")
        story.claim(
            "and sees the deployment's checks and no tenant's row",
            page.status_code == 200 and "You run this deployment" in page.text,
            page.status_code,
        )
    story.note(world.instance.accounts.reason)
    story.note("one development chain serves all sites: no independent nodes, and no proof of independence")
