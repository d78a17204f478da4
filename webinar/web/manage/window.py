"""The window of one recording: more time for one or for all, closed, destroyed, certified."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import Headers

from webinar.documents.destruction import destruction_pdf, facts_in_words
from webinar.domain.access import Action, may
from webinar.domain.destruction import WHAT_REMAINS, DestructionRecord
from webinar.domain.errors import NotFound
from webinar.domain.recording import RecordingState
from webinar.domain.wording import deadline, plural
from webinar.media.holdings import held_of
from webinar.models import Recording, User, WebinarSession
from webinar.services import destruction, more_time, recordings, windows
from webinar.services import sessions as session_service
from webinar.services.destruction import DestructionRefused
from webinar.services.doomed import doomed_of
from webinar.services.windows import WindowRefused
from webinar.tools import media_shelf
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.recordings import MARKS
from webinar.web.manage.window_form import CHOICES, TypedEnd

TYPED_TO_DESTROY = "destroy"


@dataclass(frozen=True)
class Refused:
    """A form that was not taken: which (its first word), what is wrong, who else was meant."""

    form: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    found: Sequence[User] = ()

    def value(self, name: str, otherwise: str = "") -> str:
        """What was typed in a field of the refused form; what stands there in any other."""
        if not self.form or not name.startswith(f"{self.form}-"):
            return otherwise
        return request.form.get(name, otherwise)


NOTHING_REFUSED = Refused()


@bp.get("/sessions/<public_id>/recording/window")
@requires(Action.PUBLISH_RECORDINGS)
def recording_window(public_id: str) -> ResponseReturnValue:
    """When it closes, who may watch longer, who asks to."""
    return _page(public_id, NOTHING_REFUSED)


@bp.post("/sessions/<public_id>/recording/window/extend")
@requires(Action.PUBLISH_RECORDINGS)
def window_extend(public_id: str) -> ResponseReturnValue:
    """More time for one person."""
    session, recording = _recording(public_id)
    words = request.form.get("one-who", "").strip()
    people = windows.registered_like(g.db, session.id, words)
    chosen = request.form.get("one-person", "")
    if chosen:
        people = [person for person in people if str(person.id) == chosen]
    if len(people) != 1:
        return _refused(public_id, _which("one-who", words, people)), 422
    (person,) = people
    until = recordings.closes_at_of(g.db, recording, person.id) if recording.closes_at else g.now
    closes_at, errors = TypedEnd.from_form("one", request.form).read(until, session.zone, now=g.now)
    if closes_at is None:
        return _refused(public_id, Refused("one", errors)), 422

    def extend() -> str:
        windows.extend(
            g.db,
            recording.id,
            user_id=person.id,
            closes_at=closes_at,
            reason=request.form.get("one-reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
        return f"{person.name} can watch until {deadline(closes_at, session.zone)}."

    return _act(public_id, "one", extend, anchor="extensions")


def _which(name: str, words: str, people: Sequence[User]) -> Refused:
    if not words:
        sentence = "Type a name or an e-mail."
    elif not people:
        sentence = "Nobody who is registered for this session is called that."
    else:
        sentence = (
            f"{plural(len(people), 'person is', 'people are')} called that. Choose one below."
        )
    return Refused("one", {name: sentence}, people)


@bp.post("/sessions/<public_id>/recording/window/extend-all")
@requires(Action.PUBLISH_RECORDINGS)
def window_extend_all(public_id: str) -> ResponseReturnValue:
    """A later end for everybody."""
    session, recording = _recording(public_id)
    closes_at, errors = TypedEnd.from_form("all", request.form).read(
        recording.closes_at or g.now, session.zone, now=g.now
    )
    if closes_at is None:
        return _refused(public_id, Refused("all", errors)), 422

    def extend() -> str:
        told = windows.extend_for_all(
            g.db,
            recording.id,
            closes_at=closes_at,
            reason=request.form.get("all-reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
        who = f" {plural(told, 'person who was', 'people who were')} warned are told by mail."
        return (
            f"Everybody can watch until {deadline(closes_at, session.zone)}.{who if told else ''}"
        )

    return _act(public_id, "all", extend)


@bp.post("/sessions/<public_id>/recording/window/extensions/<int(max=2147483647):number>")
@requires(Action.PUBLISH_RECORDINGS)
def window_withdraw(public_id: str, number: int) -> ResponseReturnValue:
    """Take one person's additional time back."""
    _, recording = _recording(public_id)

    def withdraw() -> str:
        taken = windows.withdraw(
            g.db,
            number,
            recording_id=recording.id,
            reason=request.form.get(f"take{number}-reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
        return f"The additional time of {taken.name} is taken back. They are told by mail."

    return _act(public_id, f"take{number}", withdraw, anchor="extensions")


@bp.post("/sessions/<public_id>/recording/window/asked/<int(max=2147483647):number>")
@requires(Action.PUBLISH_RECORDINGS)
def window_answer(public_id: str, number: int) -> ResponseReturnValue:
    """Give the time somebody asked for, or say no."""
    session, recording = _recording(public_id)
    form = f"ask{number}"
    asked = [one for one in more_time.waiting(g.db, recording.id) if one.id == number]
    if request.form.get("do") == "decline" or not asked:

        def decline() -> str:
            more_time.decline(
                g.db,
                number,
                recording_id=recording.id,
                answer=request.form.get(f"{form}-answer", ""),
                actor_id=current_user.id,
                now=g.now,
            )
            return "Declined. The person reads your answer in a mail."

        return _act(public_id, form, decline)
    until = recordings.closes_at_of(g.db, recording, asked[0].user_id)
    closes_at, errors = TypedEnd.from_form(form, request.form).read(until, session.zone, now=g.now)
    if closes_at is None:
        return _refused(public_id, Refused(form, errors)), 422

    def grant() -> str:
        more_time.grant(
            g.db,
            number,
            recording_id=recording.id,
            closes_at=closes_at,
            actor_id=current_user.id,
            now=g.now,
        )
        return f"{asked[0].name} can watch until {deadline(closes_at, session.zone)}."

    return _act(public_id, form, grant)


@bp.post("/sessions/<public_id>/recording/window/close")
@requires(Action.PUBLISH_RECORDINGS)
def window_close(public_id: str) -> ResponseReturnValue:
    """End the window at this second."""
    session, _ = _recording(public_id)

    def close() -> str:
        windows.close_now(
            g.db,
            session.id,
            actor_id=current_user.id,
            reason=request.form.get("close-reason", ""),
            now=g.now,
        )
        return "The recording is closed."

    return _act(public_id, "close", close)


@bp.post("/sessions/<public_id>/recording/window/destroy")
@requires(Action.PUBLISH_RECORDINGS)
def window_destroy(public_id: str) -> ResponseReturnValue:
    """Decide that it is destroyed; the clock does it within the minute."""
    _, recording = _recording(public_id)
    if request.form.get("destroy-word", "").strip().lower() != TYPED_TO_DESTROY:
        sentence = f"Type the word {TYPED_TO_DESTROY}, so that it does not happen by a slip."
        return _refused(public_id, Refused("destroy", {"destroy-word": sentence})), 422
    doomed = doomed_of(g.db, recording.id)
    shelf = media_shelf(current_app.extensions["config"])
    held = held_of(shelf, doomed.public_id, doomed.broadcast)

    def destroy() -> str:
        destruction.begin_by_hand(
            g.db,
            recording.id,
            held=held,
            reason=request.form.get("destroy-reason", ""),
            actor_id=current_user.id,
            now=g.now,
        )
        return "Nobody can open the recording any more. Its keys are destroyed within the minute."

    return _act(public_id, "destroy", destroy)


@bp.get("/sessions/<public_id>/recording/window/destroyed.pdf")
@requires(Action.PUBLISH_RECORDINGS)
def window_record(public_id: str) -> ResponseReturnValue:
    """The record of the destruction, for the data protection officer."""
    session, recording = _recording(public_id)
    record = _record(session, recording)
    if record is None:
        raise NotFound("This recording is not destroyed.")
    headers = Headers()
    headers.set("Content-Disposition", "inline", filename=f"{record.number}.pdf")
    headers["Cache-Control"] = "no-store"
    return current_app.response_class(
        destruction_pdf(record), headers=headers, content_type="application/pdf"
    )


def _act(
    public_id: str, form: str, act: Callable[[], str], *, anchor: str = ""
) -> ResponseReturnValue:
    try:
        words = act()
    except (WindowRefused, DestructionRefused) as refusal:
        name = f"{form}-{refusal.field}" if refusal.field else ""
        return _refused(public_id, Refused(form, {name: str(refusal)})), refusal.status
    g.db.commit()
    flash(words, "success")
    return redirect(url_for("manage.recording_window", public_id=public_id, _anchor=anchor or None))


def _refused(public_id: str, refused: Refused) -> str:
    g.db.rollback()
    return _page(public_id, refused)


def _page(public_id: str, refused: Refused) -> str:
    session = session_service.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if recording is None:
        return render_template(
            "manage/window.html", session=session, recording=None, refused=refused, plans=_plans()
        )
    until = recording.closes_at or g.now
    is_over = recording.closes_at is not None and recording.closes_at <= g.now
    state = recording.state
    if state is RecordingState.PUBLISHED and is_over:
        state = RecordingState.CLOSED
    asked = more_time.waiting(g.db, recording.id)
    record = _record(session, recording)
    return render_template(
        "manage/window.html",
        session=session,
        recording=recording,
        state=state.value,
        mark=MARKS[state],
        plans=_plans(),
        refused=refused,
        last_end=windows.last_end(g.db, recording),
        extensions=windows.extensions_of(g.db, recording.id),
        asked=asked,
        ends={
            form: TypedEnd.from_form(form, request.form)
            if refused.form == form
            else TypedEnd.of(form, until, session.zone)
            for form in ("one", "all", *(f"ask{one.id}" for one in asked))
        },
        choices=CHOICES,
        why_not=destruction.refusal(recording, now=g.now),
        word=TYPED_TO_DESTROY,
        record=record,
        record_lines=facts_in_words(record) if record else [],
        remains=WHAT_REMAINS,
        after_days=current_app.extensions["config"].DESTROY_AFTER_DAYS,
    )


def _recording(public_id: str) -> tuple[WebinarSession, Recording]:
    session = session_service.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if recording is None:
        raise NotFound("There is no recording of this session yet.")
    return session, recording


def _record(session: WebinarSession, recording: Recording) -> DestructionRecord | None:
    if recording.destroyed_at is None:
        return None
    try:
        return destruction.record_of(
            g.db,
            recording,
            provider=session.society.name,
            after_days=current_app.extensions["config"].DESTROY_AFTER_DAYS,
        )
    except NotFound:
        return None


def _plans() -> bool:
    return may(current_user.roles, Action.PLAN_SESSIONS)
