"""The credit simulator: hours typed, and what they earn at each body."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError
from webinar.domain.figures import plain_credit
from webinar.domain.policy_words import amount_words
from webinar.domain.simulator import MORE_MINUTES, gain_words
from webinar.domain.timezone import to_local
from webinar.models import WebinarSession
from webinar.services.simulator import Earned, earned_by
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.series_form import number, wall_time


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    start: str = "18:15"
    end: str = "19:00"
    questions: str = "0"

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "Typed":
        """What stands in the address; a field that is not there has the usual value."""
        usual = asdict(cls())
        return cls(**{name: args.get(name, value).strip() for name, value in usual.items()})


GROUPS = (
    ("Being there live", ViewingMode.LIVE),
    ("Watching the recording", ViewingMode.RECORDED),
    ("Presenting for all of it", ViewingMode.FACULTY),
)


@dataclass(frozen=True)
class Row:
    """What one rule gives, in words."""

    body: str
    policy: str
    mode: ViewingMode
    now: str
    with_more: str
    gains: bool
    gain: str
    explanation: str


@bp.get("/simulator/")
@requires(Action.ACCREDIT_SESSIONS)
def simulator() -> ResponseReturnValue:
    """What the hours in the address earn at each body, and what more questions would change."""
    typed = Typed.from_args(request.args)
    talk, questions, errors = _read(typed)
    rows: list[Row] = []
    if talk is not None and questions is not None and not errors:
        try:
            earned = earned_by(g.db, minutes_talk=talk, minutes_questions=questions)
            rows = [row_of(one) for one in earned]
        except DomainError as refusal:
            errors["end"] = str(refusal)
    announced = later = ""
    if rows:
        announced = f"{typed.start}–{_after(typed.end, questions or 0)}"
        later = f"{typed.start}–{_after(typed.end, (questions or 0) + MORE_MINUTES)}"
    page = render_template(
        "manage/simulator.html",
        typed=typed,
        errors=errors,
        groups=[
            (caption, found)
            for caption, mode in GROUPS
            if (found := [row for row in rows if row.mode is mode])
        ],
        announced=announced,
        later=later,
        minutes=(talk or 0) + (questions or 0),
        more=MORE_MINUTES,
    )
    return (page, 422) if errors else page


def rows_of(session: WebinarSession) -> list[Row]:
    """What this session's own length earns live at each body."""
    minutes = int((session.ends_at - session.starts_at).total_seconds()) // 60
    earned = earned_by(g.db, minutes_talk=minutes, mode=ViewingMode.LIVE)
    return [row_of(one) for one in earned]


def hours_of(session: WebinarSession) -> dict[str, str]:
    """The session's hours as the simulator's address has them."""
    starts, ends = (to_local(at, session.zone) for at in (session.starts_at, session.ends_at))
    return {"start": f"{starts:%H:%M}", "end": f"{ends:%H:%M}"}


def row_of(earned: Earned) -> Row:
    """The line in words; what a body says for each session anew is the usual amount."""
    line = earned.line
    usual = "usually " if line.is_flat and line.credit else ""
    return Row(
        body=line.policy.body,
        policy=f"{line.policy.name}, version {line.policy.version}",
        mode=line.policy.mode,
        now=usual + (amount_words(line.credit, earned.unit) if line.credit else "0"),
        with_more=usual + plain_credit(line.with_more),
        gains=line.gain > 0,
        gain=gain_words(line),
        explanation=line.explanation,
    )


def _read(typed: Typed) -> tuple[int | None, int | None, dict[str, str]]:
    errors: dict[str, str] = {}
    start, end, questions = wall_time(typed.start), wall_time(typed.end), number(typed.questions)
    if start is None:
        errors["start"] = "Give the start as hours and minutes: 18:15."
    if end is None:
        errors["end"] = "Give the end as hours and minutes: 19:00."
    if questions is None or questions < 0:
        errors["questions"] = "Give whole minutes: 15, or 0 for none."
    if start is None or end is None:
        return None, questions, errors
    talk = (end.hour - start.hour) * 60 + end.minute - start.minute
    if talk <= 0:
        errors["end"] = "The session ends before it starts. Choose a later end."
    return talk, questions, errors


def _after(wall: str, minutes: int) -> str:
    moved = datetime.strptime(wall, "%H:%M") + timedelta(minutes=minutes)  # noqa: DTZ007 -- wall time
    return f"{moved:%H:%M}"
