"""What organizations permit: purposes, batches, grants and rules, withdrawals, epochs, data sets."""

from consent.models.batches import ConsentBatch
from consent.models.data_sets import DataSet
from consent.models.epochs import ConsentEpoch, RevocationEvent
from consent.models.grants import EffectiveRule, Grant
from consent.models.purposes import Purpose
from consent.models.withdrawals import Withdrawal, WithdrawalEffect

__all__ = [
    "ConsentBatch",
    "ConsentEpoch",
    "DataSet",
    "EffectiveRule",
    "Grant",
    "Purpose",
    "RevocationEvent",
    "Withdrawal",
    "WithdrawalEffect",
]
