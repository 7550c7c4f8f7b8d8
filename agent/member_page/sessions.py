"""Who is logged in to the member page: in memory, so that a restart logs everybody out."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.clock import Clock, now
from agent.people import Person

COOKIE = "consilium_site"
IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
_MOST_SESSIONS = 1000


@dataclass(slots=True)
class Session:
    """One browser; `person` is None until it has logged in."""

    made_at: datetime
    seen_at: datetime
    person: Person | None = None
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def has_csrf_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.csrf_token.encode())


class Sessions:
    """All sessions, by the hash of their cookie."""

    def __init__(self, *, clock: Clock = now) -> None:
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}

    def find(self, cookie: str) -> Session | None:
        """Return the living session of a cookie, and note that it was used."""
        session = self._sessions.get(_key(cookie))
        if session is None or self._is_over(session):
            self.end(cookie)
            return None
        session.seen_at = self._clock()
        return session

    def begin(self, person: Person | None = None) -> tuple[str, Session]:
        """Begin a session and return its cookie; logging in always begins a new one, so that none can be planted."""
        if len(self._sessions) >= _MOST_SESSIONS:
            self._make_room()
        cookie, moment = secrets.token_urlsafe(32), self._clock()
        session = Session(moment, moment, person)
        self._sessions[_key(cookie)] = session
        return cookie, session

    def end(self, cookie: str) -> None:
        self._sessions.pop(_key(cookie), None)

    def _is_over(self, session: Session) -> bool:
        moment = self._clock()
        return moment - session.seen_at > IDLE or moment - session.made_at > LONGEST

    def _make_room(self) -> None:
        """Drop what is over, then the oldest that nobody logged in to."""
        self._sessions = {key: session for key, session in self._sessions.items() if not self._is_over(session)}
        while len(self._sessions) >= _MOST_SESSIONS:
            anonymous = (key for key, session in self._sessions.items() if session.person is None)
            del self._sessions[next(anonymous, next(iter(self._sessions)))]


def _key(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
