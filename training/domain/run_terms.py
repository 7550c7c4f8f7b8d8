"""The terms of a run, which lie in the library because sites read them too."""

from training.federated.run_terms import INITIAL_WEIGHTS_RULE as INITIAL_WEIGHTS_RULE
from training.federated.run_terms import MAX_ROUNDS as MAX_ROUNDS
from training.federated.run_terms import RunTerms as RunTerms
from training.federated.run_terms import ensure_bound as ensure_bound
from training.federated.run_terms import rule_digest as rule_digest
