"""The bank of questions of a session's short test: written, put in order, retired, looked at."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.wording import plural
from webinar.models import TestItem, WebinarSession
from webinar.services import quiz_items, quiz_statistics
from webinar.services import sessions as session_service
from webinar.services.quiz_items import (
    MOST_OPTIONS,
    Change,
    ItemDetails,
    UnusableDraw,
    UnusableItem,
)
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp

STEPS = {"earlier": -1, "later": 1}
CHANGED = {
    Change.NOTHING: ("Nothing was different, so nothing was changed.", "notice"),
    Change.CHANGED: ("The question is changed.", "success"),
    Change.REPLACED: (
        "The new question is asked from now on. The old one stays for those who answered it.",
        "success",
    ),
}


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text; `right` is the number of a row, from 0."""

    text: str = ""
    options: tuple[str, ...] = ("",) * MOST_OPTIONS
    right: str = ""
    comment: str = ""
    hint: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent; a field that was not sent is empty."""
        return cls(
            text=_line(form, "text"),
            options=tuple(_line(form, f"option-{number}") for number in range(MOST_OPTIONS)),
            right=_line(form, "right"),
            comment=_line(form, "comment"),
            hint=_line(form, "hint"),
        )

    @classmethod
    def from_item(cls, item: TestItem) -> "Typed":
        """What the question says now."""
        rest = ("",) * (MOST_OPTIONS - len(item.options))
        return cls(
            text=item.text,
            options=(*item.options, *rest),
            right=str(item.correct_option),
            comment=item.comment,
            hint=item.hint,
        )

    @property
    def details(self) -> ItemDetails:
        """The question, without the rows that are empty; no right answer is -1."""
        rows = [number for number, option in enumerate(self.options) if option]
        right = rows.index(int(self.right)) if self.right in map(str, rows) else -1
        options = tuple(self.options[row] for row in rows)
        return ItemDetails(self.text, options, right, self.comment, self.hint)


@bp.get("/sessions/<public_id>/test")
@requires(Action.ACCREDIT_SESSIONS)
def quiz(public_id: str) -> ResponseReturnValue:
    """The questions, with what is right, and room for one more."""
    return _page(session_service.by_public_id(g.db, public_id), None, Typed(), {})


@bp.post("/sessions/<public_id>/test")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_add(public_id: str) -> ResponseReturnValue:
    """One question more."""
    session = session_service.by_public_id(g.db, public_id)
    typed = Typed.from_form(request.form)
    try:
        quiz_items.add(g.db, session, typed.details, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, None, typed, refusal)
    g.db.commit()
    flash("The question is added.", "success")
    return _back(public_id)


@bp.get("/sessions/<public_id>/test/<int:item_id>")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_item(public_id: str, item_id: int) -> ResponseReturnValue:
    """One question as a form."""
    session = session_service.by_public_id(g.db, public_id)
    item = quiz_items.item_of(g.db, session, item_id)
    return _page(session, item, Typed.from_item(item), {})


@bp.post("/sessions/<public_id>/test/<int:item_id>")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_change(public_id: str, item_id: int) -> ResponseReturnValue:
    """Keep what was typed."""
    session = session_service.by_public_id(g.db, public_id)
    item = quiz_items.item_of(g.db, session, item_id)
    typed = Typed.from_form(request.form)
    try:
        changed = quiz_items.change(
            g.db, session, item, typed.details, actor_id=current_user.id, now=g.now
        )
    except DomainError as refusal:
        return _refused(public_id, item_id, typed, refusal)
    g.db.commit()
    flash(*CHANGED[changed])
    return _back(public_id)


@bp.post("/sessions/<public_id>/test/<int:item_id>/remove")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_remove(public_id: str, item_id: int) -> ResponseReturnValue:
    """Ask a question no more; what somebody has answered is kept as retired."""
    session = session_service.by_public_id(g.db, public_id)
    item = quiz_items.item_of(g.db, session, item_id)
    is_kept = quiz_items.remove(g.db, session, item, actor_id=current_user.id, now=g.now)
    g.db.commit()
    if is_kept:
        flash("The question is retired: it is asked no more, and answers to it stay.", "success")
    else:
        flash("The question is removed.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/test/<int:item_id>/restore")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_restore(public_id: str, item_id: int) -> ResponseReturnValue:
    """Ask a retired question again."""
    session = session_service.by_public_id(g.db, public_id)
    item = quiz_items.item_of(g.db, session, item_id)
    quiz_items.restore(g.db, session, item, actor_id=current_user.id, now=g.now)
    g.db.commit()
    flash("The question is asked again, as the last.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/test/draw")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_draw(public_id: str) -> ResponseReturnValue:
    """How many questions a try asks."""
    session = session_service.by_public_id(g.db, public_id)
    try:
        draw = _draw_from_form(request.form)
        changed = quiz_items.set_draw(g.db, session, draw, actor_id=current_user.id, now=g.now)
    except UnusableDraw as refusal:
        return _refused(public_id, None, Typed(), refusal)
    g.db.commit()
    if changed:
        drawn = "" if draw is None else plural(draw, "question is", "questions are")
        words = f"{drawn} drawn for each try." if drawn else "Every question is asked."
        flash(words, "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/test/<int:item_id>/move")
@requires(Action.ACCREDIT_SESSIONS)
def quiz_move(public_id: str, item_id: int) -> ResponseReturnValue:
    """Ask it one place earlier or later."""
    session = session_service.by_public_id(g.db, public_id)
    item = quiz_items.item_of(g.db, session, item_id)
    by = STEPS.get(request.form.get("to", ""), 0)
    quiz_items.move(g.db, session, item, by, actor_id=current_user.id, now=g.now)
    g.db.commit()
    return _back(public_id)


def _refused(
    public_id: str, item_id: int | None, typed: Typed, refusal: DomainError
) -> ResponseReturnValue:
    g.db.rollback()
    session = session_service.by_public_id(g.db, public_id)
    item = None if item_id is None else quiz_items.item_of(g.db, session, item_id)
    field = refusal.field if isinstance(refusal, UnusableItem) else "draw"
    return _page(session, item, typed, {field: str(refusal)}), refusal.status


def _page(
    session: WebinarSession, item: TestItem | None, typed: Typed, errors: Mapping[str, str]
) -> str:
    return render_template(
        "manage/quiz.html",
        session=session,
        items=quiz_items.items_of(g.db, session.id),
        item=item,
        typed=typed,
        errors=errors,
        retired=quiz_items.retired_of(g.db, session.id),
        asked=quiz_items.asked_already(g.db, session.id),
        draw=quiz_items.draw_of(g.db, session.id),
        figures=quiz_statistics.of_session(g.db, session.id),
    )


def _draw_from_form(form: Mapping[str, str]) -> int | None:
    """The number of questions; None for all. Raises UnusableDraw for what is no number."""
    if form.get("how") != "some":
        return None
    value = _line(form, "draw")
    if not (value.isascii() and value.isdigit() and len(value) < 5):
        raise UnusableDraw("Say how many questions are drawn, as a whole number.")
    return int(value)


def _line(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip().replace("\r\n", "\n")


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.quiz", public_id=public_id))
