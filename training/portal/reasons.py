"""Why a site takes no part, in words that say what to do: the stable codes of docs/wire.md."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

REASONS: Mapping[str, str | Promise] = {
    "plan_not_approved": lazy("It does not see the members' approval of this plan on its own node."),
    "digest_differs": lazy("Plan, training code or runner differ from what it has. It needs the release of the plan."),
    "runner_not_accepted": lazy(
        "The members do not accept the plan's runner. A vote accepts it, or a new plan names one."
    ),
    "weights_differ": lazy("The weights it was sent are not those that the chain holds."),
    "not_consented": lazy("It has not said yes to training on its own data by this plan."),
    "cohort_too_small": lazy("Too few of its patients permit this purpose. It joins once its cohort is large enough."),
    "head_too_old": lazy("Its node is behind the chain. It joins by itself once the node has caught up."),
    "stale_fence": lazy("Another coordinator has taken this run over. Nothing to do."),
    "attempt_unknown": lazy("Its agent was restarted and its secrets of this attempt are gone. It joins the next one."),
    "second_survivor_set": lazy("It was asked to sign a second set of survivors, and signs one only."),
    "bound_broken": lazy("The roster breaks 2t > n + c or t - c >= 2, so a single update could be opened."),
    "update_not_finite": lazy("Its training gave no finite numbers. Lower the learning rate in a new plan."),
    "work_stopped": lazy("Its people have stopped all work at its member page."),
    "local_rule": lazy("A rule of the site's own forbids it; see the rules at its member page."),
    "not_active": lazy("It is not an active member now."),
    "run_ended": lazy("For this site the run has ended."),
    "malformed_payload": lazy("It could not read what it was sent. Compare the releases of platform and agent."),
    "not_author": lazy("Only the plan's author may ask for this."),
    "token_refused": lazy("Its token for the platform was refused."),
    "deadline": lazy("It could not finish in time."),
    "lost": lazy("Its agent gave no sign of life any more."),
    "late": lazy("Its answer did not come in time."),
}


def reason_in_words(code: str, text: str) -> str:
    """Return a site's reason: the known sentence of its code and what else the site said, or that nothing was said."""
    known = str(REASONS.get(code, ""))
    return f"{known} ({text})" if known and text else known or text or code or _("no reason given")
