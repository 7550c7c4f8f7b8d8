"""How long a coordinator waits for whom. Seconds throughout."""

from dataclasses import dataclass
from typing import Final

# A coordinator that is not heard of for so long is taken over; it renews every second.
LEASE_SECONDS: Final = 5.0
RENEWAL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines of the steps, and when a site counts as absent or lost.

    `absent`: a site that was not seen for so long, and does not take its work within `grace`, is not
    waited for; it joins when it polls. `silence`: a site that took work and gives no sign of life for so long is
    lost for the attempt; agents beat every five seconds. `sites`: how long a round waits for enough sites.
    """

    commit: float = 5.0
    shares: float = 15.0
    train: float = 600.0
    sign: float = 15.0
    reveal: float = 30.0
    verify: float = 60.0
    verify_tries: int = 10
    absent: float = 5.0
    grace: float = 1.0
    silence: float = 10.0
    sites: float = 600.0
    between_announcements: float = 2.0


PATIENT: Final = Patience()
