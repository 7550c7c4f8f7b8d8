"""Log in through a look-up function: before it, the database shows nobody's row."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from consortium.common.tenancy import set_identity
from consortium.membership.models import User
from consortium.membership.selectors import is_deactivated


class LookupBackend(BaseBackend):
    """Check a password against the one row that `consilium_login` gives out."""

    def authenticate(
        self, request: HttpRequest | None, email: str | None = None, password: str | None = None, **other: Any
    ) -> User | None:
        if not email or password is None:
            return None
        user = self._find(email)
        if user is None:
            make_password(password)  # as slow as a wrong password, so that nobody learns who has an account
            return None
        if not user.check_password(password) or not user.is_active:
            return None
        set_identity(organization_id=None, person_id=user.pk)
        return None if is_deactivated(user) else user

    def get_user(self, user_id: UUID) -> User | None:
        set_identity(organization_id=None, person_id=user_id)
        return User.objects.filter(pk=user_id, is_active=True).first()

    @staticmethod
    def _find(email: str) -> User | None:
        found = User.objects.raw("SELECT * FROM consilium_login(%s)", [email.strip().lower()])
        return next(iter(found), None)
