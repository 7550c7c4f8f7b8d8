"""The policy of the demonstration: real rules with short periods, and it says so."""

from typing import Any

_RULE = {
    "quorum_bps": 5_000,
    "threshold_bps": 5_001,
    "period_seconds": 600,
    "minimum_votes": 2,
    "exclude_author": True,
}

POLICY: dict[str, Any] = {
    "title": "Demonstration: delays of seconds where a consortium would choose days",
    "rules": dict.fromkeys(("approve_plan", "release_model", "recall_model", "grant_licence"), _RULE),
    "parameters": {
        "witnessQuorum": 3,
        "minimumValidators": 4,
        "commitmentMaxAgeBlocks": 20,
        "asOfToleranceSeconds": 300,
        "maxAbandonedAttempts": 5,
        "admissionIntervalSeconds": 1,
    },
    "voting_delay_seconds": 1,
    "voting_period_seconds": 600,
    "timelock_delay_seconds": 1,
}
