"""Taking back what was changed a moment ago, before the mails leave."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.wording import plural
from webinar.models import SeasonChange
from webinar.services import season_changes
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar


@bp.context_processor
def undo_facts() -> dict[str, Callable[[], list[SeasonChange]]]:
    """For `undo_bar` on the pages of /manage/; asks the database when it is called."""
    return {"open_changes": open_changes}


def open_changes() -> list[SeasonChange]:
    """The reader's own changes that can still be taken back, the latest first."""
    return season_changes.open_for(g.db, current_user.id, now=g.now)


@bp.post("/changes/<int:change_id>/undo")
@requires(Action.PLAN_SESSIONS)
def change_undo(change_id: int) -> ResponseReturnValue:
    """Let everything be as it was; back to the page where it was asked for."""
    try:
        undone = season_changes.undo(
            g.db, change_id, actor_id=current_user.id, calendar=calendar(), now=g.now
        )
    except DomainError as refusal:
        g.db.rollback()
        flash(str(refusal), "error")
        return redirect(_where_it_was_asked())
    g.db.commit()
    told = plural(undone.told, "person who registered since is", "people who registered since are")
    flash(f"Taken back.{f' {told} told by mail.' if undone.told else ''}", "success")
    return redirect(_where_it_was_asked())


def _where_it_was_asked() -> str:
    """The page of /manage/ the button stood on; only its path is believed."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host and came_from.path.startswith("/manage/"):
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return url_for("manage.sessions")
