"""The form by which a steward records a withdrawal."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from consent.models import Withdrawal


class WithdrawForm(forms.Form):
    """Whose consent, by pseudonym, and why; `confirmed` comes from the second page alone."""

    pseudonym = forms.CharField(
        label=_("Pseudonym"),
        max_length=64,
        validators=[
            RegexValidator(
                r"^[0-9a-f]{64}\Z", _("A pseudonym is 64 digits and letters from a to f. Nothing was recorded.")
            )
        ],
        help_text=_("Your agent tells it: consilium-site consents status. A name or record id does not belong here."),
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=Withdrawal.Reason.choices)
