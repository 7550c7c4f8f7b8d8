"""Carries signed letters to the platform, and carries them again until each is answered."""

import asyncio
import logging
from http import HTTPStatus

from agent.client import PlatformClient
from agent.errors import PlatformAwayError, PlatformRefusedError, PolicyRefusedError
from agent.letters import Letter, Letters
from agent.pauses import Backoff
from contracts.signing.errors import SignerError

logger = logging.getLogger(__name__)
# Letters are delivered as they are signed; this look is for those that the platform was away for.
ROUND_SECONDS = 5.0


class Courier:
    """One member's courier."""

    def __init__(self, client: PlatformClient, letters: Letters) -> None:
        self._client = client
        self._letters = letters

    async def deliver(self, letter: Letter) -> bool:
        """Hand a letter over; False if the platform is away, and it stays waiting.

        Raises
        ------
        PlatformRefusedError
            If the platform takes it for wrong; the letter is settled as refused.
        """
        if letter.state == "sent":
            return True
        try:
            await self._client.post(letter.path, letter.body, idempotency_key=letter.digest)
        except (PlatformAwayError, PolicyRefusedError, SignerError):
            return False
        except PlatformRefusedError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                # No session, which is not the letter's fault: a new key is known to the platform a moment later.
                return False
            self._letters.settle(letter, "refused", status=error.status, reason=str(error.fields["reason"]))
            raise
        self._letters.settle(letter, "sent")
        return True

    async def deliver_waiting(self) -> int:
        """Hand over what waits, in order; return how many letters still wait."""
        waiting = self._letters.waiting()
        for count, letter in enumerate(waiting):
            try:
                if not await self.deliver(letter):
                    return len(waiting) - count
            except PlatformRefusedError as error:
                logger.warning("the platform refused the letter %s: %s", letter.digest, error.fields["reason"])
        return 0

    async def run(self) -> None:
        """Deliver until canceled."""
        backoff = Backoff()
        while True:
            if await self.deliver_waiting():
                await backoff.pause()
            else:
                backoff.reset()
                await asyncio.sleep(ROUND_SECONDS)
