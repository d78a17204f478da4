"""What this is, and what happens with personal data: pages without a database."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from webinar.domain.retention import RULES, RetentionKind, Rule, Unit
from webinar.domain.wording import plural
from webinar.web.access import public

# What concerns the service itself, and no person.
NOT_TOLD = frozenset({RetentionKind.PROCESSES, RetentionKind.CHANGES, RetentionKind.NOTICES})

bp = Blueprint("pages", __name__)


@bp.get("/about")
@public
def about() -> ResponseReturnValue:
    """How it works, for those who come for the first time."""
    return render_template("pages/about.html")


@bp.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """What is kept, why, for how long, and who sees it."""
    config = current_app.config
    return render_template(
        "pages/privacy.html",
        kept=[(rule.what, _how_long(rule)) for rule in RULES if rule.kind not in NOT_TOLD],
        backup_days=config["BACKUP_KEEP_DAYS"],
        keys_days=config["KEYS_BACKUP_KEEP_DAYS"],
    )


def _how_long(rule: Rule) -> str:
    """`30 days`, `10 years`, and what goes with something else."""
    if not rule.setting:
        return "as long as the recording"
    keep = int(current_app.config[rule.setting])
    if rule.unit is Unit.YEARS:
        return plural(keep, "year") if keep else "for ever"
    return plural(keep, "day")
