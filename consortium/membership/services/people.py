"""People: made by whoever may, never by themselves."""

from django.db import transaction
from django.utils.translation import gettext as _

from consortium.kernel.errors import ConflictError
from consortium.membership.models import User


class PersonExistsError(ConflictError):
    """Somebody already logs in with this address."""

    code = "person_exists"


@transaction.atomic
def create_person(*, email: str, name: str, password: str, is_operator: bool = False) -> User:
    """Make a person who can log in.

    Raises
    ------
    PersonExistsError
        If the address is taken; nothing is changed then.
    """
    if User.objects.filter(email=email.lower()).exists():
        raise PersonExistsError(
            _("Somebody already logs in with this address. Choose another, or reset the pass phrase.")
        )
    user = User.objects.create_user(email=email, name=name, password=password)
    if is_operator:
        user.is_operator = True
        user.save(update_fields=["is_operator"])
    return user


@transaction.atomic
def set_pass_phrase(*, user: User, password: str) -> None:
    """Give a person a new pass phrase; the old one stops working, and so do open sessions."""
    user.set_password(password)
    user.save(update_fields=["password"])
