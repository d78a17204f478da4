"""The living page of all pieces in all states; development only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webinar.domain.span import Span
from webinar.web.access import public

bp = Blueprint("styleguide", __name__)

# A fixed moment, so that two pictures of the page can be compared.
NOW = datetime(2026, 11, 26, 14, 3, tzinfo=UTC)
ZONE = "Europe/Zurich"
READER_ZONES = ("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Asia/Tehran")


@dataclass(frozen=True)
class Example:
    """A session as far as the pieces look at one."""

    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str = ZONE


@dataclass(frozen=True)
class Chip:
    """Credit of one body."""

    body: str
    amount: Decimal
    state: str
    wording: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a person's way through a session."""

    label: str
    state: str
    note: str = ""
    due_at: datetime | None = None
    action_label: str = ""
    action_href: str = ""
    action_method: str = "get"


@dataclass(frozen=True)
class WorkStep:
    """One step of work that takes long."""

    label: str
    state: str
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar, or one point of a line."""

    label: str
    value: int
    kind: str = ""
    words: str = ""


def _session(title: str, *, days: int, hour: int = 17, minute: int = 15) -> Example:
    day = datetime(2026, 11, 26, hour, minute, tzinfo=UTC) + timedelta(days=days)
    return Example(title, day, day + timedelta(minutes=45))


SESSIONS = {
    "next": _session(
        "Adjuvant CDK4/6 inhibition in early breast cancer: whom, when, how long", days=0
    ),
    "live": _session("Immune-related adverse events on the ward", days=0, hour=13, minute=45),
    "soon": _session("Managing oligometastatic colorectal cancer", days=5),
    "past": _session("Molecular tumour boards: from report to treatment", days=-9),
    "closing": _session("Supportive care in older adults", days=-176),
    "closed": _session("Diffuse large B-cell lymphoma in 2026", days=-190),
    "moved": _session("Ovarian cancer: maintenance after first line", days=12),
    "unusual": _session("Radiotherapy after neoadjuvant treatment", days=-29),
    "greek": _session("Ιατρική ογκολογία: Őszi kérdések, łącznie z Ελλάδα", days=19),
}

CHIPS = (
    Chip(
        "CME",
        Decimal("0.50"),
        "granted",
        "The accreditor's own sentence stands here, word for word.",
    ),
    Chip("ESMO-MORA", Decimal("1.00"), "granted", "The accreditor's own sentence stands here."),
    Chip("SIWF", Decimal("1.00"), "applied", "Applied for on 3 November 2026; not yet decided."),
    Chip("LÄK", Decimal("1.00"), "refused", "Refused for this format."),
)

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
CREDIT_UNTIL = datetime(2027, 2, 28, 22, 59, tzinfo=UTC)

BEFORE = (
    Step(
        label="Register",
        state="next",
        note="Free, under a minute",
        action_label="Register free",
        action_href="#",
        action_method="post",
    ),
    Step(label="Add to your calendar", state="later"),
    Step(label="Join live", state="later", note="The door opens at 18:00"),
    Step(label="Evaluate", state="later"),
    Step(label="Certificate", state="later", note="Within the hour"),
)
LIVE = (
    Step(label="Registered", state="done"),
    Step(label="In your calendar", state="done"),
    Step(label="Join live", state="next", action_label="Join live", action_href="#"),
    Step(label="Evaluate", state="later"),
    Step(label="Certificate", state="later", note="0.5 CME when you stay to the end"),
)
AFTER = (
    Step(label="Registered", state="done"),
    Step(label="Live", state="missed", note="You were away; the recording counts instead"),
    Step(label="Recording", state="done", note="41:12 of 45:00 counted"),
    Step(
        label="Evaluate",
        state="next",
        note="Six questions, two minutes",
        due_at=CREDIT_UNTIL,
        action_label="Evaluate",
        action_href="#",
    ),
    Step(label="Test", state="later", due_at=CREDIT_UNTIL),
    Step(label="Certificate", state="later"),
)
DONE = (
    Step(label="Registered", state="done"),
    Step(label="Live, 44:10 counted", state="done"),
    Step(label="Evaluated", state="done"),
    Step(
        label="Certificate",
        state="next",
        note="0.5 CME · 1 ESMO-MORA",
        action_label="Open your certificate",
        action_href="#",
    ),
)

WORK = (
    WorkStep("Upload", "done", "412 MB"),
    WorkStep("Prepare for watching", "now", "about 3 min left"),
    WorkStep("Check sound and length", "waiting"),
    WorkStep("Publish", "waiting"),
)
WORK_BROKEN = (
    WorkStep("Upload", "done", "412 MB"),
    WorkStep("Prepare for watching", "failed", "The file ends in the middle of a picture."),
)

BODIES = (
    Bar("CME", 182, "credit"),
    Bar("ESMO-MORA", 143, "credit"),
    Bar("Not yet evaluated", 31),
    Bar("Below the threshold", 12, "closed"),
)
PRESENCE = tuple(
    Bar(f"18:{15 + 3 * step}" if step < 15 else "19:00", people)
    for step, people in enumerate(
        (48, 121, 166, 188, 201, 209, 214, 212, 210, 207, 203, 199, 196, 188, 171, 96)
    )
)


@dataclass(frozen=True)
class Entry:
    """A session in the grid of a month."""

    time: str
    title: str
    state: str = ""
    href: str = "#"


@dataclass(frozen=True)
class Day:
    """A day in the grid of a month."""

    number: int
    in_month: bool = True
    is_today: bool = False
    sessions: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A session in the picture of a season."""

    day: int
    state: str
    title: str = "A session"
    href: str = "#"


@dataclass(frozen=True)
class Row:
    """A month in the picture of a season."""

    label: str
    sessions: tuple[Mark, ...] = ()


ENTRIES = {
    5: Entry("18:15", "Sarcoma: when to refer", "past"),
    12: Entry("18:15", "Anticoagulation and cancer", "void"),
    17: Entry("18:15", "Molecular tumour boards: from report to treatment", "past"),
    26: Entry("14:45", "Immune-related adverse events on the ward", "live"),
}
WEEKS = tuple(
    tuple(
        Day(
            day.day,
            day.month == 11,
            day.date() == NOW.date(),
            (ENTRIES[day.day],) if day.month == 11 and day.day in ENTRIES else (),
        )
        for day in (
            datetime(2026, 10, 26, tzinfo=UTC) + timedelta(days=week * 7 + n) for n in range(7)
        )
    )
    for week in range(6)
)
SEASON = (
    Row("May", (Mark(7, "closed"), Mark(14, "closed"), Mark(21, "recording"))),
    Row("October", (Mark(1, "recording"), Mark(8, "recording"), Mark(15, "cancelled"))),
    Row("November", (Mark(19, "ended"), Mark(26, "live"))),
    Row("December", (Mark(3, "published"), Mark(10, "published"), Mark(17, "draft"))),
    Row("January"),
)

ERRORS = {
    "email": ["Write the whole address, such as name@hospital.ch."],
    "profession": ["Choose your profession; some certificates must name it."],
}


@bp.get("/styleguide")
@public
def show() -> ResponseReturnValue:
    """Every piece in every state. `?zone=Asia/Tokyo` shows it to another reader."""
    zone = request.args.get("zone", READER_ZONES[0])
    return render_template(
        "styleguide.html",
        now=NOW,
        zone=zone if zone in READER_ZONES else READER_ZONES[0],
        zones=READER_ZONES,
        sessions=SESSIONS,
        chips=CHIPS,
        closes_at=CLOSES_AT,
        credit_until=CREDIT_UNTIL,
        places=(("Before", BEFORE), ("Live", LIVE), ("After", AFTER), ("Done", DONE)),
        parts=(Span(0, 640), Span(720, 1500), Span(1790, 2420)),
        whole=(Span(0, 2700),),
        work_steps=WORK,
        broken_steps=WORK_BROKEN,
        bodies=BODIES,
        presence=PRESENCE,
        errors=ERRORS,
        weeks=WEEKS,
        season=SEASON,
    )
