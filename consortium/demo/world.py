"""What the steps of the story share."""

from dataclasses import dataclass

from consortium.embedded.supervisor import Instance


@dataclass
class World:
    """The running instance, where it answers, and who may log in."""

    instance: Instance
    port: int
    operator_email: str = "operator@consilium.example"
    operator_phrase: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"
