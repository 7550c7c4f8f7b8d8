"""What the steps of the story share."""

from dataclasses import dataclass, field
from typing import Any

from consortium.demo.hospitals import HOSPITALS
from consortium.demo.portal import Visitor, visitor
from consortium.demo.sites import Site
from consortium.embedded.supervisor import Instance

CONSORTIUM = "arizona-cardiac"


@dataclass
class World:
    """The running instance, where it answers, and who may log in."""

    instance: Instance
    port: int
    operator_email: str = "operator@consilium.example"
    operator_phrase: str = ""
    sites: list[Site] = field(default_factory=list)
    consortium: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sites = [Site(hospital, self.instance, index) for index, hospital in enumerate(HOSPITALS)]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def admin(self, site: Site) -> Visitor:
        """The site's administrator, logged in and with a token."""
        return visitor(self.address, site.hospital.admin, site.admin_phrase)
