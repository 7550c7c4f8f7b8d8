"""Registering a data set: the site counts its rows and tells the consortium the band, the columns and the terms."""

import uuid
from pathlib import Path

from agent.client import PREFIX
from agent.clock import Clock, now
from agent.consents.outgoing import OutgoingMail
from agent.consents.signing import DocumentSigner
from agent.data.checking import check_table
from agent.data.description import read_description
from agent.journal import Journal
from consent.domain.data_sets import DATA_SET_FORMAT, DataSetDocument, read_data_set
from consortium.kernel.bands import band

DATA_SETS_PATH = f"{PREFIX}/data-sets"


class DataSets:
    """Registers data sets of one member."""

    def __init__(
        self,
        *,
        mail: OutgoingMail,
        signer: DocumentSigner,
        journal: Journal,
        organization: uuid.UUID,
        clock: Clock = now,
    ) -> None:
        self._mail = mail
        self._signer = signer
        self._journal = journal
        self._organization = organization
        self._clock = clock

    def register(self, path: Path, *, consortium: uuid.UUID) -> DataSetDocument:
        """Check the table, count its rows, sign band and terms, and queue them for the platform.

        Raises
        ------
        InvalidInputError
            If the description is malformed, or the table does not keep to it.
        """
        described = read_description(path)
        checked = check_table(described)
        checked.require_sound(described)
        document = read_data_set(
            {
                "format": DATA_SET_FORMAT,
                "organization": str(self._organization),
                "consortium": str(consortium),
                "name": described.name,
                "schema": dict(described.schema),
                "band": band(checked.rows),
                "purposes": list(described.purposes),
                "conditions": sorted(described.conditions),
                "signed_at": int(self._clock().timestamp()),
            }
        )
        message = self._signer.signed(document.document(), DATA_SETS_PATH)
        self._mail.keep(message)
        self._journal.record(
            "data_set",
            "registered",
            digest=message.digest,
            name=described.name,
            band=document.band,
            consortium=str(consortium),
        )
        return document
