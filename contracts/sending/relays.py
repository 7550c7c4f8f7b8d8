"""Accounts that submit what members signed: the key lies in this process, or behind Web3Signer (ADR 14)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount

from consortium.kernel.digests import keccak256
from contracts.signing.errors import SignerError
from contracts.signing.web3signer import Web3SignerKey
from contracts.transactions import FreeTransaction, sign_free

# Begins like no transaction does: a node refuses it whatever signature is added.
NO_TRANSACTION = b"consilium: does this key sign?"


@dataclass(frozen=True)
class SignedTransaction:
    """The bytes to send and their hash (32 bytes)."""

    raw: bytes
    hash: bytes

    @classmethod
    def of(cls, raw: bytes) -> "SignedTransaction":
        return cls(raw, keccak256(raw))


@dataclass(frozen=True)
class Signing:
    """The first of the wanted transactions, signed, and why the next one is not; without a fault it is all of them."""

    signed: list[SignedTransaction]
    fault: SignerError | None = None


class AnyRelay(ABC):
    """Signs transactions without a price. It pays nothing, votes nowhere, and has no rights of its own."""

    address: str
    # Where the key lies, in a word.
    place: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    @abstractmethod
    def sign_many(self, wanted: Sequence[FreeTransaction]) -> Signing:
        """Sign in order, up to the first fault; what comes back is exactly what was asked, signed by this account."""

    def sign(self, *, to: str | None, data: bytes, nonce: int, gas: int, chain_id: int) -> SignedTransaction:
        """Sign a call, or a creation where `to` is None (EIP-1559, both fees zero: gas is free here).

        Raises
        ------
        SignerError
            If the key gave no signature that can be used.
        """
        signing = self.sign_many([FreeTransaction(to, data, nonce, gas, chain_id)])
        if signing.fault is not None:
            raise signing.fault
        return signing.signed[0]

    @abstractmethod
    def fault(self) -> SignerError | None:
        """Why the key does not sign, asked for something that is no transaction; None if it does."""


class Relay(AnyRelay):
    """A key of this process; it stays inside."""

    place = "keystore"

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = account.address

    def sign_many(self, wanted: Sequence[FreeTransaction]) -> Signing:
        key = bytes(self._account.key)
        return Signing([SignedTransaction.of(sign_free(key, one)) for one in wanted])

    def fault(self) -> SignerError | None:
        # It was opened, so it signs.
        return None


class RemoteRelay(AnyRelay):
    """A key behind Web3Signer.

    The signer is asked for signatures over our encoding and gives back 65 bytes each. These are held to the
    account and to that encoding, so a signature over any other transaction, or of another key, is never sent.
    """

    place = "web3signer"

    def __init__(self, key: Web3SignerKey) -> None:
        self.key = key
        self.address = key.address

    def sign_many(self, wanted: Sequence[FreeTransaction]) -> Signing:
        try:
            found = self.key.sign_many([one.payload for one in wanted])
        except SignerError as error:
            return Signing([], error)
        signed: list[SignedTransaction] = []
        for one, signature in zip(wanted, found, strict=True):
            if isinstance(signature, SignerError):
                return Signing(signed, signature)
            signed.append(SignedTransaction.of(one.signed(signature)))
        return Signing(signed)

    def fault(self) -> SignerError | None:
        try:
            (found,) = self.key.sign_many([NO_TRANSACTION])
        except SignerError as error:
            return error
        return found if isinstance(found, SignerError) else None
