"""Everything about one member's consents, put together from its site."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from agent.chain import Consortium
from agent.client import OfferedConsortium
from agent.consents.cohort import Cohorts
from agent.consents.data_set_shelf import DataSetShelf
from agent.consents.data_sets import DataSets
from agent.consents.database import Database
from agent.consents.epochs import Anchoring
from agent.consents.erasure import Eraser
from agent.consents.importing import Importer
from agent.consents.imports import ImportDesk
from agent.consents.outgoing import OutgoingMail
from agent.consents.overview import ConsentOverview
from agent.consents.proofs import Proofs
from agent.consents.schema import STORE
from agent.consents.signing import DocumentSigner
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from agent.consents.withdrawals import Withdrawals
from agent.folder import read_private

if TYPE_CHECKING:
    # The site holds the office, and the office reads its site.
    from agent.site import Site


@dataclass
class ConsentOffice:
    """What the parts of the agent share about consents; files are opened when first asked for."""

    site: "Site"

    @property
    def root(self) -> Path:
        return self.site.folder.root

    @cached_property
    def database(self) -> Database:
        return Database(self.root / "consents.sqlite", STORE)

    @cached_property
    def store(self) -> ConsentStore:
        return ConsentStore(self.database)

    @cached_property
    def vault(self) -> SaltVault:
        """The salts: left out of every backup of the site."""
        return SaltVault(self.site.folder.salts / "salts.sqlite")

    @cached_property
    def mail(self) -> OutgoingMail:
        return OutgoingMail(self.database)

    @cached_property
    def documents(self) -> DocumentSigner:
        return DocumentSigner(self.site.signer, self.site.configuration.chain_id)

    @cached_property
    def pseudonym_key(self) -> bytes:
        return bytes.fromhex(read_private(self.site.folder.pseudonym_key).decode())

    @cached_property
    def importer(self) -> Importer:
        return Importer(
            store=self.store,
            mail=self.mail,
            signer=self.documents,
            organization=self.site.configuration.organization,
            pseudonym_key=self.pseudonym_key,
            clock=self.site.clock,
        )

    @cached_property
    def imports(self) -> ImportDesk:
        return ImportDesk(
            self.root, journal=self.site.journal, office=lambda: ConsentOffice(self.site), clock=self.site.clock
        )

    @cached_property
    def overview(self) -> ConsentOverview:
        return ConsentOverview(self.store, clock=self.site.clock)

    @cached_property
    def data_set_shelf(self) -> DataSetShelf:
        return DataSetShelf(self.root, journal=self.site.journal, mail=self.mail, data_sets=self.data_sets)

    @cached_property
    def anchoring(self) -> Anchoring:
        return Anchoring(
            store=self.store,
            vault=self.vault,
            mail=self.mail,
            signer=self.site.signer,
            chain=self.site.chain,
            organization=self.site.configuration.organization,
        )

    @cached_property
    def withdrawals(self) -> Withdrawals:
        return Withdrawals(
            store=self.store,
            vault=self.vault,
            mail=self.mail,
            signer=self.documents,
            journal=self.site.journal,
            organization=self.site.configuration.organization,
            pseudonym_key=self.pseudonym_key,
            clock=self.site.clock,
        )

    @cached_property
    def cohorts(self) -> Cohorts:
        return Cohorts(store=self.store, anchoring=self.anchoring)

    @cached_property
    def proofs(self) -> Proofs:
        return Proofs(store=self.store, vault=self.vault)

    @cached_property
    def eraser(self) -> Eraser:
        return Eraser(
            path=self.root / "erasures.sqlite",
            store=self.store,
            vault=self.vault,
            mail=self.mail,
            signer=self.documents,
            withdrawals=self.withdrawals,
            journal=self.site.journal,
            organization=self.site.configuration.organization,
            clock=self.site.clock,
        )

    @cached_property
    def data_sets(self) -> DataSets:
        return DataSets(
            mail=self.mail,
            signer=self.documents,
            journal=self.site.journal,
            organization=self.site.configuration.organization,
            clock=self.site.clock,
        )

    def checked(self, offered: OfferedConsortium) -> Consortium:
        """Return a consortium after this site has checked its contracts on its own node."""
        return self.site.trust.admit(Consortium(offered.id, offered.name, offered.chain_id, offered.contracts))
