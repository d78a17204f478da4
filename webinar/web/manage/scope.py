"""Whose sessions a person works on: a role for one society opens that society's pages only."""

from flask import current_app, g, request
from flask_login import current_user
from sqlalchemy import select

from webinar.domain.access import SITE_WIDE, Action, may
from webinar.domain.errors import NotAllowed
from webinar.models import Series, Society, WebinarSession
from webinar.services import societies
from webinar.web.access import action_of
from webinar.web.manage.blueprint import bp


def society_ids(action: Action | None = None) -> frozenset[int] | None:
    """The societies for which the person may do this; None means for all of them.

    Without an action, what the page being answered requires.
    """
    asked = action or _action()
    return current_user.societies_where(asked) if asked else frozenset()


def societies_offered(action: Action | None = None) -> list[Society]:
    """The societies for which the person may do this, by name: what a form lets choose."""
    ids = society_ids(action)
    return [found for found in societies.listed(g.db) if ids is None or found.id in ids]


def ensure_society(society_id: int, action: Action | None = None) -> None:
    """For what is named in a form and not in the address; raises NotAllowed."""
    ids = society_ids(action)
    if ids is not None and society_id not in ids:
        raise _refusal(g.db.get(Society, society_id), action or _action())


@bp.before_request
def ensure_role_there() -> None:
    """Refuse who has no role for the society of the session or series in the address.

    Who is not signed in, and who may do it nowhere, the mark of the view refuses.
    """
    action = _action()
    if not current_user.is_authenticated or action is None or action in SITE_WIDE:
        return
    society = _society_in_address()
    if society is None or not may(current_user.roles, action):
        return
    if not may(current_user.roles_for(society.id), action):
        raise _refusal(society, action)


def _society_in_address() -> Society | None:
    """Whose the thing in the address is; None if there is no such thing, or it is nobody's."""
    values = request.view_args or {}
    path = request.url_rule.rule if request.url_rule else ""
    if "public_id" in values:
        found = select(Society).join(WebinarSession, WebinarSession.society_id == Society.id)
        return g.db.scalar(found.where(WebinarSession.public_id == values["public_id"]))  # type: ignore[no-any-return]
    if path.startswith("/manage/series/<slug>"):
        found = select(Society).join(Series, Series.society_id == Society.id)
        return g.db.scalar(found.where(Series.slug == values["slug"]))  # type: ignore[no-any-return]
    if path.startswith("/manage/societies/<slug>"):
        return g.db.scalar(select(Society).where(Society.slug == values["slug"]))  # type: ignore[no-any-return]
    return None


def _action() -> Action | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return action_of(view) if view else None


def _refusal(society: Society | None, action: Action | None) -> NotAllowed:
    name = society.name if society else "this society"
    return NotAllowed(
        f"Your account may not {action or 'do that'} for {name}. Ask an administrator."
    )
