"""The deployment: checks that are not well. For its operator, who sees no tenant's rows."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from consortium.common.health import findings
from consortium.common.parts import Waiting
from consortium.portal.asker import Asker


def findings_not_well(asker: Asker) -> Iterator[Waiting]:
    if not asker.user.is_operator:
        return
    for finding in findings():
        if not finding.well:
            yield Waiting(
                urgency=1,
                icon="octagon-alert",
                title=_("Not well: %(name)s") % {"name": finding.name},
                text=f"{finding.text} {finding.remedy}".strip(),
                url=reverse("overview") + "#health",
                act=_("See the checks"),
            )
