"""Members files for tests."""

from typing import Any

import yaml

RELAY = "0x6AC7EA33F8831EA9dcC53393aAA88B25A785DBF0"
HOSPITALS = ("general", "mercy", "saint-anna", "valley")


def document(**changes: Any) -> dict[str, Any]:
    members = [{"name": name, "host": f"10.0.0.{place}"} for place, name in enumerate(HOSPITALS, start=1)]
    return {"network": {"name": "arizona-cardiac", "chain_id": 20_262}, "members": members} | changes


def content(value: Any) -> bytes:
    return yaml.safe_dump(value).encode()
