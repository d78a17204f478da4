"""Taking back what was changed a moment ago, before the mails leave."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.wording import plural
from webinar.models import Delivery
from webinar.services import season_changes
from webinar.services.announcements import NOTICES
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar


@dataclass(frozen=True)
class OpenChange:
    """A change that can be taken back until then; `tells`: mails wait for that moment."""

    id: int
    summary: str
    undo_until: datetime
    tells: bool


@bp.context_processor
def undo_facts() -> dict[str, Callable[[], list[OpenChange]]]:
    """For `undo_bar` on the pages of /manage/; asks the database when it is called."""
    return {"open_changes": open_changes}


def open_changes() -> list[OpenChange]:
    """The reader's own changes that can still be taken back, the latest first."""
    found = season_changes.open_for(g.db, current_user.id, now=g.now)
    if not found:
        return []
    due = select(Delivery.due_at).where(
        Delivery.kind.in_([kind.value for kind in NOTICES]),
        Delivery.due_at.in_([change.undo_until for change in found]),
    )
    leaving = set(g.db.scalars(due.distinct()))
    return [
        OpenChange(change.id, change.summary, change.undo_until, change.undo_until in leaving)
        for change in found
    ]


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
