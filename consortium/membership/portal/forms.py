"""Forms of people, invitations and applications."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consortium.membership.models import RoleAssignment, User

ROLE_HELP = {
    "admin": _("Administrator: invites people, changes roles, exports evidence"),
    "voter": _("Voter: reads what is put to the vote; the vote itself is signed at your member page"),
    "steward": _("Data steward: follows consents, records withdrawals"),
    "scientist": _("Data scientist: drafts plans, starts and follows runs"),
    "compliance": _("Compliance officer: exports evidence and reports"),
}


class RolesForm(forms.Form):
    """The roles of one person."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(role, ROLE_HELP[role]) for role in RoleAssignment.Role.values],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role. Nothing was changed.")},
    )


class InviteForm(RolesForm):
    """Whom to invite, with which roles."""

    field_order = ("email", "name", "roles")
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, help_text=_("They will log in with it. No mail is sent from here.")
    )
    name = forms.CharField(label=_("Name"), max_length=200)


class InviteAuditorForm(forms.Form):
    """Whom to invite as the consortium's auditor, until when."""

    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, help_text=_("They will log in with it. No mail is sent from here.")
    )
    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("All members of the consortium see it."))
    until = forms.DateField(
        label=_("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("From the day after, they read nothing any more. At most three years away."),
    )

    def until_end_of_day(self) -> datetime:
        """The end of the last day, in UTC."""
        return datetime.combine(self.cleaned_data["until"], time.min, UTC) + timedelta(days=1)

    def clean_until(self) -> Any:
        day = self.cleaned_data["until"]
        if day < timezone.now().date():
            raise forms.ValidationError(_("This day is over. Choose one from today on; nobody was invited."))
        return day


class MemberPageForm(forms.Form):
    """Where the organization's own people find their agent's page."""

    address = forms.URLField(
        label=_("Address of your member page"),
        max_length=300,
        required=False,
        assume_scheme="https",
        help_text=_("As your people's browsers reach it. Only your own people see it; empty takes it away."),
    )


class CountryForm(forms.Form):
    """In which country the organization is."""

    country = forms.CharField(
        label=_("Country"),
        min_length=2,
        max_length=2,
        widget=forms.TextInput(attrs={"autocomplete": "country", "autocapitalize": "characters"}),
        help_text=_(
            "Two letters of ISO 3166-1, such as DE. All members see it; records of processing (GDPR Art. 30) name it."
        ),
    )


class AcceptForm(forms.Form):
    """Name and pass phrase of who was invited."""

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    pass_phrase = forms.CharField(
        label=_("Pass phrase"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters; several words are easier to remember than signs."),
    )
    again = forms.CharField(
        label=_("Pass phrase again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        phrase, again = cleaned.get("pass_phrase"), cleaned.get("again")
        if phrase and again and phrase != again:
            self.add_error("again", _("The two differ. Nothing was kept; type both again."))
        elif phrase:
            try:
                validate_password(phrase, User(email=self.email, name=cleaned.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("pass_phrase", error)
        return cleaned


_ADDRESS = RegexValidator(r"^0x[0-9a-fA-F]{40}\Z", _("An address is 0x and 40 hexadecimal digits."))


class ApplyForm(forms.Form):
    """Which consortium to apply to, with which keys."""

    consortium = forms.SlugField(
        label=_("Short name of the consortium"),
        max_length=60,
        help_text=_("A member tells you, such as arizona-cardiac."),
    )
    vote_key = forms.CharField(label=_("Vote key"), validators=[_ADDRESS], max_length=42)
    site_key = forms.CharField(label=_("Site key"), validators=[_ADDRESS], max_length=42)
    validator = forms.CharField(
        label=_("Validator"),
        validators=[_ADDRESS],
        max_length=42,
        help_text=_("The address of your own node on the chain."),
    )
    enode = forms.CharField(
        label=_("Node"),
        max_length=220,
        required=False,
        help_text=_("Where the other members' nodes reach it: enode://key@IP:port. May be left out until it runs."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        names = [name for name in ("vote_key", "site_key", "validator") if cleaned.get(name)]
        if len({cleaned[name].lower() for name in names}) < len(names):
            raise forms.ValidationError(_("Two of the addresses are the same. Each key has its own; nothing was sent."))
        return cleaned
