"""Corrections of one session's credit: proposed, looked at, approved by a second person."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.evidence_picture import EvidencePicture, lines_of
from webinar.domain.evidence_picture import Line as PictureLine
from webinar.domain.review import CorrectionKind, CorrectionState
from webinar.domain.wording import deadline
from webinar.models import Appeal, CreditCorrection, CreditDecision, User, WebinarSession
from webinar.services import credits, sessions
from webinar.services.evidence import correction_preview, corrections, pictures, visits
from webinar.services.evidence.grounds import span_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.case_times import from_unix, hours, place
from webinar.web.manage.correction_form import KIND_WORDS, MODE_CHOICES, Typed, field_of, read
from webinar.web.manage.incidents import name_of
from webinar.web.numbers import whole_number

PATH = "/sessions/<public_id>/corrections"
ONE = f"{PATH}/<int:correction_id>"
STATES = {
    CorrectionState.PROPOSED: ("closing", "Waits for a second person"),
    CorrectionState.APPROVED: ("credit", "Approved"),
    CorrectionState.REFUSED: ("closed", "Refused"),
    CorrectionState.WITHDRAWN: ("cancelled", "Withdrawn"),
}
MODES = dict(MODE_CHOICES)


@dataclass(frozen=True)
class Line:
    """A correction in words."""

    correction: CreditCorrection
    person: str
    what: str
    mark: tuple[str, str]
    proposed_by: str
    decided_by: str


@dataclass(frozen=True)
class Seen:
    """A decision that stands, with what counted for it."""

    decision: CreditDecision
    picture: EvidencePicture
    lines: Sequence[PictureLine]


@bp.get(PATH)
@requires(Action.CORRECT_CREDIT)
def corrections_list(public_id: str) -> ResponseReturnValue:
    """All corrections of the session; those that wait come first."""
    session = sessions.by_public_id(g.db, public_id)
    found = corrections.of_session(g.db, session.id)
    found.sort(key=lambda one: one.state is not CorrectionState.PROPOSED)
    lines = [_line(session, one) for one in found]
    return render_template("manage/corrections.html", session=session, lines=lines)


@bp.get(f"{PATH}/new")
@requires(Action.CORRECT_CREDIT)
def correction_new(public_id: str) -> ResponseReturnValue:
    """Whose case it is, then what is to be changed."""
    session = sessions.by_public_id(g.db, public_id)
    user_id = whole_number(request.args.get("user", ""))
    if user_id is None:
        words = request.args.get("words", "").strip()
        found = correction_preview.people_named(g.db, session, words)
        return render_template(
            "manage/correction_person.html", session=session, words=words, found=found
        )
    appeal = _appeal(session, user_id, request.args.get("appeal", ""))
    typed = Typed(mode=appeal.grant.mode.value if appeal else ViewingMode.LIVE.value)
    return _form(session, _person(session, user_id), appeal, typed, {})


@bp.post(f"{PATH}/new")
@requires(Action.CORRECT_CREDIT)
def correction_propose(public_id: str) -> ResponseReturnValue:
    """Put it before a second person."""
    session = sessions.by_public_id(g.db, public_id)
    person = _person(session, whole_number(request.form.get("user", "")))
    appeal = _appeal(session, person.id, request.form.get("appeal", ""))
    typed = Typed.from_form(request.form)
    change, errors = read(typed, session)
    if change is None:
        return _form(session, person, appeal, typed, errors), 422
    try:
        correction = corrections.propose(
            g.db,
            session,
            person.id,
            change,
            reason=typed.reason,
            appeal_id=appeal.id if appeal else None,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        session = sessions.by_public_id(g.db, public_id)
        errors = {field_of(refusal, change.kind): str(refusal)}
        return _form(session, _person(session, person.id), appeal, typed, errors), refusal.status
    g.db.commit()
    flash(
        "The correction is proposed. Ask a colleague to look at it: nothing changed yet.", "notice"
    )
    return redirect(
        url_for("manage.correction_show", public_id=public_id, correction_id=correction.id)
    )


@bp.get(ONE)
@requires(Action.CORRECT_CREDIT)
def correction_show(public_id: str, correction_id: int) -> ResponseReturnValue:
    """One correction: why, and what it changes or would change."""
    return _show(public_id, correction_id, {})


@bp.post(f"{ONE}/approve")
@requires(Action.CORRECT_CREDIT)
def correction_approve(public_id: str, correction_id: int) -> ResponseReturnValue:
    """Yes, as a second person; credit is decided at once."""
    session = sessions.by_public_id(g.db, public_id)
    correction = corrections.correction_of(g.db, session, correction_id)
    try:
        fresh = corrections.approve(
            g.db,
            correction,
            answer=request.form.get("answer", ""),
            actor_id=current_user.id,
            public_url=current_app.config["PUBLIC_URL"],
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _show(public_id, correction_id, {"": str(refusal)}), refusal.status
    g.db.commit()
    words = "Approved, and credit is decided." if fresh else "Approved; it changes no decision."
    flash(words, "success")
    return redirect(
        url_for("manage.correction_show", public_id=public_id, correction_id=correction_id)
    )


@bp.post(f"{ONE}/refuse")
@requires(Action.CORRECT_CREDIT)
def correction_refuse(public_id: str, correction_id: int) -> ResponseReturnValue:
    """No, as a second person; or taken back by who proposed it."""
    session = sessions.by_public_id(g.db, public_id)
    correction = corrections.correction_of(g.db, session, correction_id)
    answer = request.form.get("answer", "")
    try:
        if correction.proposed_by_id == current_user.id:
            corrections.withdraw(
                g.db, correction, reason=answer, actor_id=current_user.id, now=g.now
            )
            words = "The correction is withdrawn."
        else:
            corrections.refuse(g.db, correction, answer=answer, actor_id=current_user.id, now=g.now)
            words = "The correction is refused."
    except DomainError as refusal:
        g.db.rollback()
        field = "answer" if isinstance(refusal, corrections.ReasonMissing) else ""
        return _show(public_id, correction_id, {field: str(refusal)}), refusal.status
    g.db.commit()
    flash(words, "success")
    return redirect(url_for("manage.corrections_list", public_id=public_id))


def _show(public_id: str, correction_id: int, errors: dict[str, str]) -> str:
    session = sessions.by_public_id(g.db, public_id)
    correction = corrections.correction_of(g.db, session, correction_id)
    waits = correction.state is CorrectionState.PROPOSED
    is_mine = correction.proposed_by_id == current_user.id
    return render_template(
        "manage/correction.html",
        session=session,
        line=_line(session, correction),
        waits=waits,
        is_mine=is_mine,
        is_own_credit=correction.user_id == current_user.id,
        changes=correction_preview.preview(g.db, session, correction, now=g.now),
        decisions=_seen(
            session,
            [
                decision
                for decision in credits.latest_of(g.db, session.id, correction.user_id)
                if decision.grant.mode is correction.mode
            ],
        ),
        answer=request.form.get("answer", ""),
        errors=errors,
    )


def _form(
    session: WebinarSession,
    person: User,
    appeal: Appeal | None,
    typed: Typed,
    errors: dict[str, str],
) -> str:
    return render_template(
        "manage/correction_new.html",
        session=session,
        whom=person,
        appeal=appeal,
        typed=typed,
        errors=errors,
        kinds=list(KIND_WORDS.items()),
        modes=MODE_CHOICES,
        decisions=_seen(session, credits.latest_of(g.db, session.id, person.id)),
        sources=visits.seconds_by_source(g.db, session, person.id),
    )


def _seen(session: WebinarSession, decisions: Sequence[CreditDecision]) -> list[Seen]:
    found = []
    for decision in decisions:
        picture = pictures.of_decision(decision)
        found.append(Seen(decision, picture, lines_of(picture, session.zone)))
    return found


def _line(session: WebinarSession, correction: CreditCorrection) -> Line:
    return Line(
        correction=correction,
        person=correction.user.name,
        what=_what(session, correction),
        mark=STATES[correction.state],
        proposed_by=name_of(correction.proposed_by_id),
        decided_by=name_of(correction.decided_by_id),
    )


def _what(session: WebinarSession, correction: CreditCorrection) -> str:
    words = KIND_WORDS[correction.kind]
    mode = MODES[correction.mode.value].lower()
    if correction.kind is CorrectionKind.MORE_TIME and correction.until is not None:
        return f"{words}: until {deadline(correction.until, session.zone)}, {mode}"
    if correction.kind is CorrectionKind.WAIVE_CHECKS:
        return f"{words}, {mode}"
    span = span_of(correction)
    if correction.mode is ViewingMode.RECORDED:
        return f"{words}: {place(span.start)}–{place(span.end)} of the recording"
    return f"{words}: {hours(from_unix(span.start), from_unix(span.end), session.zone)}"


def _person(session: WebinarSession, user_id: int | None) -> User:
    return correction_preview.person_named(
        g.db, session, user_id or 0, address=request.values.get("words", "")
    )


def _appeal(session: WebinarSession, user_id: int, text: str) -> Appeal | None:
    appeal_id = whole_number(text)
    if appeal_id is None:
        return None
    appeal: Appeal | None = g.db.get(Appeal, appeal_id)
    if appeal is None or (appeal.session_id, appeal.user_id) != (session.id, user_id):
        raise NotFound("There is no such appeal of this person.")
    return appeal
