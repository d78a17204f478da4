"""A correction as it is typed, and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from webinar.domain.attendance import ViewingMode
from webinar.domain.errors import DomainError
from webinar.domain.review import CorrectionKind
from webinar.domain.span import Span
from webinar.domain.timezone import to_utc
from webinar.models import WebinarSession
from webinar.services.evidence.corrections import PRESENCE, Change, ReasonMissing
from webinar.web.manage.case_times import second
from webinar.web.manage.series_form import day, wall_time

KIND_WORDS: dict[CorrectionKind, str] = {
    CorrectionKind.ADD_PRESENCE: "Was there, though nothing shows it",
    CorrectionKind.REMOVE_PRESENCE: "Was not there, though something says so",
    CorrectionKind.WAIVE_CHECKS: "Attention checks are waived",
    CorrectionKind.MORE_TIME: "More time for the test and the evaluation",
}
MODE_CHOICES = (
    (ViewingMode.LIVE.value, "Live session"),
    (ViewingMode.RECORDED.value, "Recording"),
)
LIVE_HINT = "Give the hour by the session's clock: 18:20, or 18:20:30."
RECORDED_HINT = "Give the place in the recording as minutes and seconds: 12:30."


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The fields as they were sent."""

    kind: str = ""
    mode: str = ViewingMode.LIVE.value
    start: str = ""
    end: str = ""
    until_day: str = ""
    until_time: str = "23:59"
    reason: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent."""
        return cls(**{one.name: form.get(one.name, "").strip() for one in fields(cls)})


def read(typed: Typed, session: WebinarSession) -> tuple[Change | None, dict[str, str]]:
    """What is to be changed, or for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    kind = next((one for one in CorrectionKind if one.value == typed.kind), None)
    if kind is None:
        errors["kind"] = "Say what is to be corrected."
    if typed.mode not in dict(MODE_CHOICES):
        errors["mode"] = "Say whether it is about the live session or the recording."
    if kind is None or errors:
        return None, errors
    mode = ViewingMode(typed.mode)
    span = _span(typed, session, mode, errors) if kind in PRESENCE else None
    until = _until(typed, session.zone, errors) if kind is CorrectionKind.MORE_TIME else None
    if errors:
        return None, errors
    return Change(kind=kind, mode=mode, span=span, until=until), {}


def field_of(refusal: DomainError, kind: CorrectionKind) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    if isinstance(refusal, ReasonMissing):
        return "reason"
    if kind in PRESENCE:
        return "start"
    return "until_day" if kind is CorrectionKind.MORE_TIME else ""


def _span(
    typed: Typed, session: WebinarSession, mode: ViewingMode, errors: dict[str, str]
) -> Span[int] | None:
    start, end = (second(text, session, mode) for text in (typed.start, typed.end))
    hint = RECORDED_HINT if mode is ViewingMode.RECORDED else LIVE_HINT
    errors |= {name: hint for name, at in (("start", start), ("end", end)) if at is None}
    if start is None or end is None:
        return None
    if end <= start:
        errors["end"] = "A stretch ends after it begins. Check both times."
        return None
    return Span(start, end)


def _until(typed: Typed, zone: str, errors: dict[str, str]) -> datetime | None:
    on, at = day(typed.until_day), wall_time(typed.until_time)
    if on is None:
        errors["until_day"] = "Give the last day as a date: 2027-01-31."
    if at is None:
        errors["until_time"] = "Give the hour as hours and minutes: 19:00."
    if on is None or at is None:
        return None
    return to_utc(datetime.combine(on, at), zone, on_gap="forward", on_fold="first")
