"""The form of a policy version: as typed, as data, and the officer's own examples."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import TestResult
from webinar.domain.policy import MAX_DECIMALS, CreditPolicy
from webinar.domain.policy_examples import IN_TIME, Example
from webinar.domain.policy_fields import FIELDS, SHARE, Kind, PolicyField
from webinar.web.manage.series_form import number

OWN_ROWS = 3
MOST = Decimal(1_000_000)
LONGEST_SECONDS = 12 * 3600
MAY_BE_ZERO = frozenset(
    {
        "credit_per_unit",
        "evaluation_deadline_days",
        "max_per_day",
        "checks_planned",
        "min_checks_answered",
        "min_session_minutes",
        "pass_correct",
        "retention_years",
        "retry_wait_hours",
        "test_deadline_hours",
    }
)
Data = dict[str, object]


@dataclass(frozen=True)
class TypedExample:
    """A row of one's own examples."""

    present: str = ""
    session: str = ""
    right: str = ""
    of: str = ""
    evaluation: bool = True

    @property
    def is_blank(self) -> bool:
        """True if nothing is meant."""
        return not (self.present or self.session or self.right or self.of)


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text; a flag is "y" or ""."""

    name: str
    note: str
    sources: str
    values: Mapping[str, str]
    examples: tuple[TypedExample, ...]

    @classmethod
    def from_form(cls, form: Mapping[str, str], *, name: str) -> "Typed":
        """What was sent; a field that was not sent is empty."""
        return cls(
            name=name or form.get("name", "").strip(),
            note=form.get("note", "").strip(),
            sources=form.get("sources", "").replace("\r\n", "\n").strip(),
            values={one.name: form.get(one.name, "").strip() for one in FIELDS},
            examples=tuple(
                TypedExample(
                    form.get(f"own-{row}-present", "").strip(),
                    form.get(f"own-{row}-session", "").strip(),
                    form.get(f"own-{row}-right", "").strip(),
                    form.get(f"own-{row}-of", "").strip(),
                    f"own-{row}-evaluation" in form,
                )
                for row in range(OWN_ROWS)
            ),
        )

    @classmethod
    def from_policy(cls, policy: CreditPolicy, *, name: str = "") -> "Typed":
        """What a version says."""
        return cls(
            name=name,
            note="",
            sources="\n".join(policy.sources),
            values={one.name: one.text(policy) for one in FIELDS},
            examples=(TypedExample(),) * OWN_ROWS,
        )


def read(typed: Typed) -> tuple[Data, dict[str, str]]:
    """The policy as data, and for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    data: Data = {}
    for one in FIELDS:
        text = typed.values[one.name]
        if not text and one.kind is not Kind.FLAG:
            if not one.may_be_empty:
                errors[one.name] = f"Fill in “{one.label}”."
            elif one.name == "evaluation_deadline_days":
                data[one.name] = None  # else a live session would have the usual one
            continue
        data[one.name] = _value(one, text, errors)
    share = data.pop(SHARE, None)
    if share is not None:
        is_recorded = data.get("mode") == ViewingMode.RECORDED.value
        data["min_coverage" if is_recorded else "min_presence"] = share
    _refuse_contradictions(data, errors)
    data |= _sources(typed.sources, errors)
    return data, errors


def own_examples(typed: Typed, errors: dict[str, str]) -> list[Example]:
    """The officer's own rows; a row that makes no sense gets a sentence in `errors`."""
    found = []
    for row, one in enumerate(typed.examples):
        if one.is_blank:
            continue
        session, present = seconds(one.session or "45:00"), seconds(one.present)
        right, of = number(one.right), number(one.of)
        if present is None:
            errors[f"own-{row}-present"] = "Give minutes and seconds: 36:00."
        if session is None or session == 0:
            errors[f"own-{row}-session"] = "Give minutes and seconds: 45:00."
        if session is not None and present is not None and present > session:
            errors[f"own-{row}-present"] = "Nobody is there longer than it lasts."
        has_test = bool(one.right or one.of)
        if has_test and (right is None or of is None or not 0 <= right <= of or of == 0):
            errors[f"own-{row}-right"] = "Give right answers and questions: 3 of 4."
        if any(name.startswith(f"own-{row}-") for name in errors):
            continue
        test = (
            TestResult(correct=right, of=of, hours_after_end=IN_TIME)
            if right is not None and of
            else None
        )
        remarks = [f"{right} of {of} answers right"] if test else ["no test"]
        if not one.evaluation:
            remarks.append("no evaluation")
        found.append(
            Example(
                session_seconds=session or 0,
                present_seconds=present or 0,
                test=test,
                evaluation_hours=IN_TIME if one.evaluation else None,
                remark=", ".join(remarks),
            )
        )
    return found


def digest(data: Data) -> str:
    """Which rule was tested: what is saved is what was looked at."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def seconds(text: str) -> int | None:
    """`36:00` or `36` as seconds."""
    minutes, _, rest = text.partition(":")
    whole, part = number(minutes), number(rest or "0")
    if whole is None or part is None or whole < 0 or not 0 <= part < 60:
        return None
    found = whole * 60 + part
    return found if found <= LONGEST_SECONDS else None


def _value(one: PolicyField, text: str, errors: dict[str, str]) -> object:
    if one.kind is Kind.FLAG:
        return bool(text)
    if one.kind is Kind.CHOICE:
        if text not in dict(one.choices):
            errors[one.name] = f"Choose one under “{one.label}”."
        return text
    if one.kind is Kind.WORDS:
        if len(text) > 60:
            errors[one.name] = "At most 60 characters."
        return text
    if one.kind is Kind.COUNT:
        count = number(text)
        if count is None or count < 0 or (count == 0 and one.name not in MAY_BE_ZERO):
            least = 0 if one.name in MAY_BE_ZERO else 1
            errors[one.name] = f"Give a whole number from {least}."
        return count
    return _decimal(one, text, errors)


def _decimal(one: PolicyField, text: str, errors: dict[str, str]) -> float | None:
    try:
        typed = Decimal(text.replace(",", ".").removesuffix("%").strip())
    except InvalidOperation:
        typed = Decimal(-1)
    is_percent = one.kind is Kind.PERCENT
    most = Decimal(100) if is_percent else MOST
    if not typed.is_finite() or not 0 <= typed <= most:
        errors[one.name] = (
            "Give a percentage from 0 to 100: 80." if is_percent else "Give a number."
        )
        return None
    if typed == 0 and not is_percent and one.name not in MAY_BE_ZERO:
        errors[one.name] = "Give a number above 0."
        return None
    value = typed / 100 if is_percent else typed
    if value != round(value, MAX_DECIMALS):
        errors[one.name] = "Give fewer decimals."
        return None
    return float(value)


def _refuse_contradictions(data: Data, errors: dict[str, str]) -> None:
    right, of = data.get("pass_correct"), data.get("pass_of")
    if (right is None) != (of is None) and not {"pass_correct", "pass_of"} & set(errors):
        errors |= {"pass_correct": "Fill in both the right answers and the questions, or neither."}
    if isinstance(right, int) and isinstance(of, int) and right > of:
        errors |= {"pass_correct": "Nobody has more answers right than there are questions."}
    if right is not None and data.get("pass_ratio") is not None:
        errors |= {"pass_ratio": "Give the pass mark in percent or as answers, not both."}
    if data.get("test_required") is False and (right is not None or data.get("pass_ratio")):
        errors["test_required"] = "There is a pass mark, so say that a test has to be passed."


def _sources(text: str, errors: dict[str, str]) -> Data:
    found: Data = {}
    for line in text.splitlines():
        name, colon, source = line.partition(":")
        if not line.strip():
            continue
        if not colon or not name.strip().isidentifier() or not source.strip():
            errors["sources"] = "One source a line, as field and source: rounding: letter of 3 May."
            continue
        found[f"{name.strip()}_src"] = source.strip()
    return found
