"""One member's site, put together from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from agent.ballot_history import BallotHistory
from agent.ballots import Ballots
from agent.chain import Chain, open_chain
from agent.chain_check import ChainCheck, Trust
from agent.client import PlatformClient
from agent.clock import Clock, now
from agent.configuration import Configuration, parse_configuration
from agent.courier import Courier
from agent.desk import BallotDesk
from agent.folder import SiteFolder, read_private
from agent.guards import Fences, KillSwitch, Pins
from agent.journal import Journal
from agent.keystore import KeyPurpose
from agent.letters import Letters
from agent.names import NameBook
from agent.node_keeper import NodeKeeper, node_keeper
from agent.node_sight import NodeSight, open_operations
from agent.people import People, Person
from agent.policy import KeyRules, SigningPolicy
from agent.proposing import Proposing
from agent.questions import QuestionReader
from agent.registered_keys import RegisteredKeys
from agent.rotation import KeyRotation
from agent.rules_file import RulesFile
from agent.signer import Signer
from agent.signing.keyring import Keyring
from agent.signing.rates import Rates
from agent.signing.settings import SignerSettings
from agent.timelock import TimelockHistory
from agent.veto_desk import VetoDesk
from agent.vetoes import Vetoes
from consortium.kernel.identifiers import uuid_to_bytes32

if TYPE_CHECKING:
    from agent.consents.office import ConsentOffice
    from agent.training.office import TrainingOffice
    from agent.training.runner_process import RunnerProcess


@dataclass
class Site:
    """What every part of the agent shares; keys are opened when the signer is first asked for, once a process."""

    folder: SiteFolder
    configuration: Configuration
    journal: Journal
    clock: Clock = now
    given_chain: Chain | None = None
    runner: "RunnerProcess | None" = None

    @cached_property
    def people(self) -> People:
        return People(self.folder)

    @cached_property
    def pins(self) -> Pins:
        return Pins(self.journal)

    @cached_property
    def fences(self) -> Fences:
        return Fences(self.journal)

    @cached_property
    def switch(self) -> KillSwitch:
        return KillSwitch(self.journal)

    @cached_property
    def rules_file(self) -> RulesFile:
        return RulesFile(self.folder, self.journal)

    @cached_property
    def letters(self) -> Letters:
        return Letters(self.journal, clock=self.clock)

    @cached_property
    def consents(self) -> "ConsentOffice":
        # FHIR and numpy are for those who use them: a ballot needs neither.
        from agent.consents.office import ConsentOffice

        return ConsentOffice(self)

    @cached_property
    def training(self) -> "TrainingOffice":
        from agent.training.office import TrainingOffice

        return TrainingOffice(self)

    @cached_property
    def organization(self) -> bytes:
        """The member's id as contracts hold it."""
        return uuid_to_bytes32(self.configuration.organization)

    @cached_property
    def chain(self) -> Chain:
        return self.given_chain or open_chain(self.configuration)

    @cached_property
    def names(self) -> NameBook:
        return NameBook(self.configuration.organization, self.configuration.name)

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.folder, lambda: {purpose: self._settings_of(purpose) for purpose in KeyPurpose})

    @cached_property
    def registered(self) -> RegisteredKeys:
        return RegisteredKeys(self.pins, lambda: self.chain, self.organization)

    @cached_property
    def signer(self) -> Signer:
        policy = SigningPolicy(
            organization=self.configuration.organization,
            chain_id=self.configuration.chain_id,
            pins=self.pins,
            switch=self.switch,
            rules_of=self._key_rules,
            rates=Rates(self.journal, clock=self.clock),
        )
        listed, name_of = self.registered.addresses, self.names.name
        return Signer(self.keyring, policy, self.journal, listed=listed, name_of=name_of)

    @cached_property
    def rotation(self) -> KeyRotation:
        return KeyRotation(
            keyring=self.keyring,
            registered=self.registered,
            chain=self.chain,
            signer=self.signer,
            journal=self.journal,
            letters=self.letters,
            folder=self.folder,
            organization=self.organization,
        )

    def _settings_of(self, purpose: KeyPurpose) -> SignerSettings:
        configuration = self.configuration
        return configuration.vote_signer if purpose is KeyPurpose.VOTE else configuration.site_signer

    def _key_rules(self, purpose: KeyPurpose) -> KeyRules:
        return KeyRules(self.configuration.rules.signatures_per_minute, self._settings_of(purpose).limits)

    @cached_property
    def check(self) -> ChainCheck:
        return ChainCheck(
            chain=self.chain,
            history=TimelockHistory(self.chain, self.journal),
            organization=self.organization,
            addresses=self.signer.address,
            max_head_age_seconds=lambda: self.configuration.rules.max_head_age_seconds,
            clock=self.clock,
        )

    @cached_property
    def trust(self) -> Trust:
        return Trust(self.check, self.pins)

    @cached_property
    def node_sight(self) -> NodeSight:
        return NodeSight(self.chain, open_operations(self.configuration))

    @cached_property
    def node_keeper(self) -> NodeKeeper:
        return node_keeper(self)

    @cached_property
    def ballots(self) -> Ballots:
        configuration = self.configuration
        reader = QuestionReader(self.chain, organization=configuration.organization, names=self.names)
        return Ballots(reader=reader, chain=self.chain, signer=self.signer, journal=self.journal, letters=self.letters)

    @cached_property
    def vetoes(self) -> Vetoes:
        return Vetoes(
            reader=self.ballots.reader,
            chain=self.chain,
            signer=self.signer,
            journal=self.journal,
            letters=self.letters,
            us=self.organization,
        )

    @cached_property
    def ballot_history(self) -> BallotHistory:
        return BallotHistory(
            journal=self.journal, letters=self.letters, chain=self.chain, organization=self.organization
        )

    @cached_property
    def proposing(self) -> Proposing:
        return Proposing(
            chain=self.chain,
            signer=self.signer,
            journal=self.journal,
            letters=self.letters,
            organization=self.organization,
        )

    def change_rules(self, values: Mapping[str, Any], *, person: Person) -> None:
        """Change local rules in site.toml and in this process at once; see `RulesFile.change`."""
        rules = self.rules_file.change(values, person=person)
        self.configuration = replace(self.configuration, rules=rules)

    def client(self, *, transport: httpx.AsyncBaseTransport | None = None) -> PlatformClient:
        """Return a new client; close it with `async with`."""
        return PlatformClient(
            base_url=self.configuration.platform_url,
            organization=self.configuration.organization,
            chain_id=self.configuration.chain_id,
            signer=self.signer,
            transport=transport,
            clock=self.clock,
        )

    def desk(self, client: PlatformClient, courier: Courier) -> BallotDesk:
        """Return the desk on which ballots are laid out."""
        return BallotDesk(
            client=client,
            courier=courier,
            ballots=self.ballots,
            trust=self.trust,
            chain=self.chain,
            chain_id=self.configuration.chain_id,
        )

    def veto_desk(self, client: PlatformClient, courier: Courier) -> VetoDesk:
        """Return the desk on which acts that wait are laid out."""
        return VetoDesk(client=client, courier=courier, desk=self.desk(client, courier), vetoes=self.vetoes)


def open_site(path: Path, *, clock: Clock = now) -> Site:
    """Open a site's folder, refusing one that others can reach.

    Raises
    ------
    FolderError, ConfigurationError, JournalError
        Naming what is wrong and how to mend it.
    """
    folder = SiteFolder(path)
    folder.require_private()
    configuration = parse_configuration(read_private(folder.configuration))
    return Site(folder, configuration, Journal(folder.journal, clock=clock), clock)
