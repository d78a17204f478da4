"""Sessions: listed, edited, published, moved, cancelled, restored, discarded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import SessionDetails, missing_before_publishing
from webinar.domain.timezone import to_utc, zone_names
from webinar.domain.wording import local_date, local_time_range, plural, zone_abbreviation
from webinar.models import WebinarSession
from webinar.services import accreditation, registrations, season, topics
from webinar.services import series as series_service
from webinar.services import sessions as session_service
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.grant_form import chip_words
from webinar.web.manage.session_form import (
    LANGUAGES,
    MOST_FACULTY,
    PARTS,
    Typed,
    TypedMember,
    field_of,
    read,
)
from webinar.web.manage.session_list import (
    PAGE_SIZE,
    Asked,
    as_csv,
    columns_of,
    rows_of,
    sorted_rows,
)
from webinar.web.manage.states import WORDS, mark_of


@bp.get("/sessions/")
@requires(Action.PLAN_SESSIONS)
def sessions() -> ResponseReturnValue:
    """Every session, drafts too, as the address asks; as CSV with `format=csv`."""
    asked = Asked.from_args(request.args)
    everything = season.listed(
        g.db,
        series_id=series_service.by_slug(g.db, asked.series).id if asked.series else None,
        status=asked.state,
        starting=None if asked.when in ("past", "all") else g.now,
        until=g.now if asked.when == "past" else None,
        words=asked.words,
    )
    found = season.registered_counts(g.db, [session.id for session in everything])
    rows = sorted_rows(rows_of(everything, found), asked.sort)
    if request.args.get("format") == "csv":
        headers = {"Content-Disposition": "attachment; filename=sessions.csv"}
        return Response(as_csv(rows), mimetype="text/csv", headers=headers)
    page = int(asked.page) if asked.page.isascii() and asked.page.isdigit() else 1
    start = (max(page, 1) - 1) * PAGE_SIZE
    return render_template(
        "manage/sessions.html",
        asked=asked,
        rows=rows[start : start + PAGE_SIZE],
        total=len(rows),
        columns=columns_of(asked),
        series=[(found.slug, found.name) for found in series_service.listed(g.db)],
        states=[(status.value, words) for status, (_, words) in WORDS.items()],
        earlier=asked.href(page=str(page - 1)) if start > 0 else "",
        later=asked.href(page=str(page + 1)) if start + PAGE_SIZE < len(rows) else "",
    )


@bp.get("/sessions/<public_id>")
@requires(Action.PLAN_SESSIONS)
def session_edit(public_id: str) -> ResponseReturnValue:
    """One session as a form, with what can be done to it."""
    session = session_service.by_public_id(g.db, public_id)
    return _form(session, Typed.from_session(g.db, session), {})


@bp.post("/sessions/<public_id>")
@requires(Action.PLAN_SESSIONS)
def session_save(public_id: str) -> ResponseReturnValue:
    """Keep what was typed; a new time of a session people registered for is confirmed first."""
    session = session_service.by_public_id(g.db, public_id)
    typed = Typed.from_form(request.form, request.form.getlist("topics"))
    if request.form.get("do") == "add-person":
        return _form(session, typed, {}, more_rows=1)
    details, errors = read(g.db, typed)
    if details is None:
        return _form(session, typed, errors), 422
    told = _told_by(session, typed)
    if told and request.form.get("confirmed") != "y":
        return _form(session, typed, {}, asks_to_tell=told, moved_to=_new_time(details))
    try:
        change = session_service.edit(
            g.db,
            session.id,
            details,
            actor_id=current_user.id,
            calendar=_calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _form(session, typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    if not change.fields:
        flash("Nothing was different, so nothing was changed.", "notice")
    elif change.told:
        flash(f"Saved. {plural(change.told, 'person is', 'people are')} told by mail.", "success")
    else:
        flash("Saved.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/publish")
@requires(Action.PLAN_SESSIONS)
def session_publish(public_id: str) -> ResponseReturnValue:
    """Announce a draft."""

    def publish(session: WebinarSession) -> str:
        session_service.publish(
            g.db, session.id, actor_id=current_user.id, calendar=_calendar(), now=g.now
        )
        return "Published. It stands in the schedule and in the calendar feeds."

    return _act(public_id, publish)


@bp.post("/sessions/<public_id>/unpublish")
@requires(Action.PLAN_SESSIONS)
def session_unpublish(public_id: str) -> ResponseReturnValue:
    """Make it a draft again."""

    def unpublish(session: WebinarSession) -> str:
        session_service.unpublish(g.db, session.id, actor_id=current_user.id, now=g.now)
        return "It is a draft again, and nobody sees it."

    return _act(public_id, unpublish)


@bp.post("/sessions/<public_id>/cancel")
@requires(Action.PLAN_SESSIONS)
def session_cancel(public_id: str) -> ResponseReturnValue:
    """Cancel it and tell who is registered."""

    def cancel(session: WebinarSession) -> str:
        change = session_service.cancel(
            g.db,
            session.id,
            reason=request.form.get("reason", ""),
            actor_id=current_user.id,
            calendar=_calendar(),
            now=g.now,
        )
        return f"Cancelled. {plural(change.told, 'person is', 'people are')} told by mail."

    return _act(public_id, cancel, field="reason")


@bp.post("/sessions/<public_id>/restore")
@requires(Action.PLAN_SESSIONS)
def session_restore(public_id: str) -> ResponseReturnValue:
    """Let it take place after all."""

    def restore(session: WebinarSession) -> str:
        change = session_service.restore(
            g.db, session.id, actor_id=current_user.id, calendar=_calendar(), now=g.now
        )
        told = plural(change.told, "person is", "people are")
        return f"It takes place after all. {told} told by mail."

    return _act(public_id, restore)


@bp.post("/sessions/<public_id>/discard")
@requires(Action.PLAN_SESSIONS)
def session_discard(public_id: str) -> ResponseReturnValue:
    """Take a draft out of the season."""
    session = session_service.by_public_id(g.db, public_id)
    try:
        session_service.discard(
            g.db,
            session.id,
            reason=request.form.get("reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        return _refused(public_id, refusal, field="reason")
    g.db.commit()
    flash("The draft is gone, and its day is left out of the series.", "success")
    return redirect(url_for("manage.sessions"))


def _act(
    public_id: str, act: Callable[[WebinarSession], str], *, field: str = ""
) -> ResponseReturnValue:
    session = session_service.by_public_id(g.db, public_id)
    try:
        words = act(session)
    except DomainError as refusal:
        return _refused(public_id, refusal, field=field)
    g.db.commit()
    flash(words, "success")
    return _back(public_id)


def _refused(public_id: str, refusal: DomainError, *, field: str) -> ResponseReturnValue:
    g.db.rollback()
    session = session_service.by_public_id(g.db, public_id)
    names_field = isinstance(refusal, session_service.ReasonMissing)
    errors = {field if names_field else "": str(refusal)}
    return _form(session, Typed.from_session(g.db, session), errors), refusal.status


def _told_by(session: WebinarSession, typed: Typed) -> int:
    """How many people a save would mail: those registered, if the time changes."""
    if session.status is not SessionStatus.PUBLISHED:
        return 0
    if typed.says_the_same_time(Typed.from_session(g.db, session)):
        return 0
    return registrations.registered_count(g.db, session.id)


def _new_time(details: SessionDetails) -> str:
    starts_at, ends_at = (to_utc(wall, details.zone) for wall in (details.starts, details.ends))
    return _time_words(starts_at, ends_at, details.zone)


def _time_words(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    hours = local_time_range(starts_at, ends_at, zone)
    return f"{local_date(starts_at, zone)}, {hours} {zone_abbreviation(starts_at, zone)}"


def _form(
    session: WebinarSession,
    typed: Typed,
    errors: dict[str, str],
    *,
    asks_to_tell: int = 0,
    moved_to: str = "",
    more_rows: int = 0,
) -> str:
    blank = TypedMember(part="presenter" if not typed.faculty else "moderator")
    blanks = max(more_rows, 0 if typed.faculty else 1)
    rows = (*typed.faculty, *[blank] * blanks)[:MOST_FACULTY]
    known = [topic.name for topic in topics.listed(g.db)]
    return render_template(
        "manage/session_edit.html",
        session=session,
        typed=replace(typed, faculty=rows),
        errors=errors,
        mark=mark_of(session),
        registered=registrations.registered_count(g.db, session.id),
        asks_to_tell=asks_to_tell,
        moved_from=_time_words(session.starts_at, session.ends_at, session.zone),
        moved_to=moved_to,
        missing=missing_before_publishing(
            session.title, session.abstract, frozenset(member.part for member in session.faculty)
        ),
        earns=[chip_words(grant) for grant in accreditation.grants_of(g.db, session.id)],
        overlaps=session_service.overlapping(g.db, session),
        topics=[(name, name) for name in dict.fromkeys((*known, *typed.topics))],
        languages=LANGUAGES,
        parts=PARTS,
        zones=[(name, name.replace("_", " ")) for name in zone_names()],
        reason=request.form.get("reason", ""),
        most_faculty=MOST_FACULTY,
    )


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.session_edit", public_id=public_id))


def _calendar() -> CalendarTool:
    return calendar_tool(current_app.extensions["config"])
