"""Saving a session: nobody's change is lost, and nobody is told before it is confirmed."""

from collections.abc import Mapping
from dataclasses import replace

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session import ChangedMeanwhile
from webinar.domain.session_details import SessionDetails
from webinar.models import WebinarSession
from webinar.services import session_scope
from webinar.services import sessions as session_service
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.session_authors import authors_of
from webinar.web.manage.session_form import Typed, field_of, read
from webinar.web.manage.session_merge import differences, has_clash, merged
from webinar.web.manage.session_page import Opened, session_page
from webinar.web.manage.session_plan import Plan, plan_of, saved_words, scope_named
from webinar.web.numbers import whole_number

PICK = "pick-"


@bp.get("/sessions/<public_id>")
@requires(Action.PLAN_SESSIONS)
def session_edit(public_id: str) -> ResponseReturnValue:
    """One session as a form, with what can be done to it."""
    session = session_service.by_public_id(g.db, public_id)
    return session_page(session, Opened.now(session), {})


@bp.post("/sessions/<public_id>")
@requires(Action.PLAN_SESSIONS)
def session_save(public_id: str) -> ResponseReturnValue:
    """Keep what was typed: first shown beside what others changed, and who is told of what."""
    session = session_service.by_public_id(g.db, public_id)
    current = Opened.now(session)
    opened = _sent(current)
    do = request.form.get("do", "")
    if do == "merge":
        first, picks = _first(opened), _picks(request.form)
        open_questions = differences(first, opened.base, opened.typed, picks)
        if any(question.picked is None for question in open_questions):
            return _beside(session, replace(opened, base=first), opened.base, picks), 422
        opened = replace(opened, typed=merged(first, opened.base, opened.typed, picks))
    if do in ("add-person", "form"):
        return session_page(session, opened, {}, more_rows=int(do == "add-person"))
    details, errors = read(g.db, opened.typed, present=session)
    if details is None:
        return session_page(session, opened, errors), 422
    if opened.revision != session.revision or has_clash(opened.base, current.typed, opened.typed):
        return _beside(session, replace(opened, revision=session.revision), current.typed, {}), 409
    # What was filled in elsewhere since the form was opened stays, if it was not touched here.
    settled = merged(opened.base, current.typed, opened.typed, {})
    details, errors = read(g.db, settled, present=session)
    if details is None:
        return session_page(session, replace(opened, typed=settled), errors), 422
    return _save(session, opened, settled, details)


def _save(
    session: WebinarSession, opened: Opened, settled: Typed, details: SessionDetails
) -> ResponseReturnValue:
    """Ask first whether people may be told, and other sessions be changed; then do it."""
    try:
        scope = scope_named(opened.scope)
        plan = plan_of(session, details, scope)
        if plan.lines and plan.must_be_confirmed and request.form.get("confirmed") != "y":
            return _confirm(session, replace(opened, typed=settled), plan)
        changes = session_scope.apply(
            g.db,
            session.id,
            details,
            scope,
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
            seen_revision=opened.revision,
        )
    except ChangedMeanwhile:
        g.db.rollback()
        session = session_service.by_public_id(g.db, session.public_id)
        current = Opened.now(session)
        return _beside(session, replace(opened, revision=session.revision), current.typed, {}), 409
    except DomainError as refusal:
        g.db.rollback()
        return session_page(session, opened, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    if any(change.fields for change in changes):
        flash(saved_words(plan.audience.told, len(changes)), "success")
    else:
        flash("Nothing was different, so nothing was changed.", "notice")
    return redirect(url_for("manage.session_edit", public_id=session.public_id))


def _sent(current: Opened) -> Opened:
    """What the browser sent: the form itself, or what an earlier step carried along."""
    form = request.form
    typed = Typed.from_json(form["mine"]) if "mine" in form else None
    if typed is None:
        typed = Typed.from_form(form, form.getlist("topics"), form.getlist("audience"))
    base = Typed.from_json(form.get("base", "")) or current.base
    revision = whole_number(form.get("revision", ""))
    return Opened(
        typed=typed,
        base=base,
        revision=current.revision if revision is None else revision,
        scope=form.get("scope", "one"),
    )


def _first(opened: Opened) -> Typed:
    """What the session said before either of the two changed it."""
    return Typed.from_json(request.form.get("first", "")) or opened.base


def _picks(form: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(PICK): side for name, side in form.items() if name.startswith(PICK)}


def _beside(
    session: WebinarSession, opened: Opened, theirs: Typed, picks: Mapping[str, str]
) -> str:
    """Both versions, field by field; `opened.base` is what both began with."""
    found = differences(opened.base, theirs, opened.typed, picks)
    return render_template(
        "manage/session_beside.html",
        session=session,
        opened=opened,
        theirs=theirs,
        differences=found,
        authors=authors_of(g.db, session, found),
        errors={
            f"{PICK}{difference.key}": f"{difference.label}: choose which words stand."
            for difference in found
            if difference.picked is None and request.form.get("do") == "merge"
        },
    )


def _confirm(session: WebinarSession, opened: Opened, plan: Plan) -> str:
    return render_template("manage/session_confirm.html", session=session, opened=opened, plan=plan)
