"""The facts of a case as stored beside its decision, so that it can be decided again in years."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from webinar.domain.attendance import ViewingMode
from webinar.domain.canonical import canonical_json
from webinar.domain.credit import CaseFacts, Grant, GrantStatus, TestResult
from webinar.domain.span import Span

Record = Mapping[str, object]


def record_of(facts: CaseFacts) -> dict[str, object]:
    """The facts as plain JSON data; what has its default stays out, evidence is its union."""
    record = json.loads(canonical_json(facts))
    if not isinstance(record, dict):
        raise ValueError("facts are an object")
    return record


def facts_of(record: Record) -> CaseFacts:
    """The facts that `record_of` wrote; ValueError if it was not `record_of` that wrote them."""
    try:
        return _facts(record)
    except (KeyError, TypeError, InvalidOperation, ZeroDivisionError) as wrong:
        raise ValueError(f"this is no record of a case: {wrong}") from None


def _facts(record: Record) -> CaseFacts:
    grant, test = _part(record["grant"]), record.get("test")
    return CaseFacts(
        mode=ViewingMode(_text(record["mode"])),
        window=_span(record["window"]),
        evidence=_spans(record["evidence"]),
        grant=Grant(
            credits=Decimal(_text(grant["credits"])),
            mode=ViewingMode(_text(grant["mode"])),
            status=GrantStatus(_text(grant.get("status", GrantStatus.GRANTED))),
            reference=_text(grant.get("reference", "")),
            credit_from=_instant(grant.get("credit_from")),
            credit_until=_instant(grant.get("credit_until")),
        ),
        credit_at=_instant(record.get("credit_at")),
        hours_since_end=_hours(record.get("hours_since_end")),
        wall_seconds=None if "wall_seconds" not in record else _whole(record["wall_seconds"]),
        checks_answered=_whole(record.get("checks_answered", 0)),
        checks_issued=_whole(record.get("checks_issued", 0)),
        test=None if test is None else _test(_part(test)),
        evaluation=record.get("evaluation", False) is True,
        evaluation_hours_after_end=_hours(record.get("evaluation_hours_after_end")),
        identifier=record.get("identifier", False) is True,
        already_credited=record.get("already_credited", False) is True,
        earned_today=Decimal(_text(record.get("earned_today", "0"))),
        outages=_spans(record.get("outages", [])),
        added=_spans(record.get("added", [])),
        removed=_spans(record.get("removed", [])),
        checks_waived=record.get("checks_waived", False) is True,
        papers_until_hours=_hours(record.get("papers_until_hours")),
        presented=record.get("presented", False) is True,
        is_repeat=record.get("is_repeat", False) is True,
    )


def _test(record: Record) -> TestResult:
    return TestResult(
        correct=_whole(record["correct"]),
        of=_whole(record["of"]),
        hours_after_end=_hours(record.get("hours_after_end")) or Fraction(0),
    )


def _part(value: object) -> Record:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _spans(value: object) -> tuple[Span[int], ...]:
    return tuple(_span(span) for span in _list(value))


def _span(value: object) -> Span[int]:
    start, end = _list(value)
    return Span(_whole(start), _whole(end))


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _instant(value: object) -> datetime | None:
    return None if value is None else datetime.fromisoformat(_text(value))


def _hours(value: object) -> Fraction | None:
    return None if value is None else Fraction(_text(value))
