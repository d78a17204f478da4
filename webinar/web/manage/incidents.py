"""Outages of one session: declared and withdrawn, with what follows for credit."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError
from webinar.domain.policy import OutageRule
from webinar.domain.span import Span
from webinar.domain.wording import duration_minutes
from webinar.models import Incident, User, WebinarSession
from webinar.services import sessions
from webinar.services.evidence import incidents
from webinar.services.evidence.incidents import ImpossibleOutage, WordsMissing
from webinar.services.grants import offers_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.case_times import hours, instant

CONSEQUENCES = {
    OutageRule.EXCLUDED: "takes the stretch out of the session for who does not lose by it",
    OutageRule.CREDITED: "counts it for who was there before and after it",
    OutageRule.NOTHING: "does not forgive it",
}
FIELD_OF: dict[type[DomainError], str] = {ImpossibleOutage: "from", WordsMissing: "what"}


@dataclass(frozen=True)
class Line:
    """An incident as the list shows it."""

    incident: Incident
    hours: str
    length: str
    declared_by: str
    withdrawn_by: str


@bp.get("/sessions/<public_id>/incidents")
@requires(Action.CORRECT_CREDIT)
def incidents_show(public_id: str) -> ResponseReturnValue:
    """What was declared, and the form for one more outage."""
    return _page(sessions.by_public_id(g.db, public_id), {})


@bp.post("/sessions/<public_id>/incidents")
@requires(Action.CORRECT_CREDIT)
def incident_declare(public_id: str) -> ResponseReturnValue:
    """Nothing could be seen from then till then."""
    session = sessions.by_public_id(g.db, public_id)
    starts_at = instant(request.form.get("from", ""), session)
    ends_at = instant(request.form.get("to", ""), session)
    errors = {
        name: "Give the hour by the session's clock: 18:20, or 18:20:30."
        for name, at in (("from", starts_at), ("to", ends_at))
        if at is None
    }
    if starts_at is None or ends_at is None:
        return _page(session, errors), 422
    if ends_at < starts_at:
        return _page(session, {"to": "An outage ends after it began. Check both times."}), 422
    try:
        incidents.declare(
            g.db,
            session,
            Span(starts_at, ends_at),
            what=request.form.get("what", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        session = sessions.by_public_id(g.db, public_id)
        return _page(session, {FIELD_OF.get(type(refusal), ""): str(refusal)}), refusal.status
    g.db.commit()
    flash("The outage is declared. Credit is decided anew within a minute.", "success")
    return redirect(url_for("manage.incidents_show", public_id=public_id))


@bp.post("/sessions/<public_id>/incidents/<int:incident_id>/withdraw")
@requires(Action.CORRECT_CREDIT)
def incident_withdraw(public_id: str, incident_id: int) -> ResponseReturnValue:
    """It was none."""
    session = sessions.by_public_id(g.db, public_id)
    incident = incidents.incident_of(g.db, session, incident_id)
    try:
        incidents.withdraw(
            g.db,
            session,
            incident,
            reason=request.form.get("reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        session = sessions.by_public_id(g.db, public_id)
        return _page(session, {f"reason-{incident_id}": str(refusal)}), refusal.status
    g.db.commit()
    flash("The outage is withdrawn. Credit is decided anew within a minute.", "success")
    return redirect(url_for("manage.incidents_show", public_id=public_id))


def _page(session: WebinarSession, errors: dict[str, str]) -> str:
    found = incidents.of_session(g.db, session.id)
    return render_template(
        "manage/incidents.html",
        session=session,
        lines=[_line(incident, session) for incident in found],
        consequences=[
            (offer.grant.accreditor.short_name, CONSEQUENCES[offer.rules.outage])
            for offer in offers_of(g.db, session.id, mode=ViewingMode.LIVE, granted_only=False)
        ],
        typed={name: request.form.get(name, "") for name in ("from", "to", "what")},
        reason=request.form.get("reason", ""),
        errors=errors,
    )


def _line(incident: Incident, session: WebinarSession) -> Line:
    return Line(
        incident=incident,
        hours=hours(incident.starts_at, incident.ends_at, session.zone),
        length=duration_minutes(incident.starts_at, incident.ends_at),
        declared_by=name_of(incident.declared_by_id),
        withdrawn_by=name_of(incident.withdrawn_by_id),
    )


def name_of(user_id: int | None) -> str:
    """How a colleague is named; nobody has no name."""
    user = None if user_id is None else g.db.get(User, user_id)
    return "" if user is None else user.name
