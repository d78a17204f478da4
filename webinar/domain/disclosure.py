"""What a member of the faculty discloses: every relation with a company, or that there is none.

After the ACCME Standards for Integrity and Independence: whoever controls content discloses all
financial relations with ineligible companies of the past 24 months, however small; the audience
is told company, nature and that it was mitigated, or that there is nothing, before the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from webinar.domain.person import FormRefused, one_line
from webinar.domain.wording import LONG_MONTHS

MONTHS_BACK = 24
MOST_RELATIONS = 20
LONGEST_NAME = 200
NOTHING = "Nothing to disclose."

# What is stored stays the same when the words beside it change.
NATURES: dict[str, str] = {
    "employment": "Employment",
    "shares": "Shares or other ownership",
    "research": "Research funding",
    "consulting": "Consulting",
    "advisory": "Advisory board",
    "speaking": "Fees for speaking or teaching",
    "patent": "Patent or royalties",
    "travel": "Travel or hospitality",
    "other": "Another relation",
}


@dataclass(frozen=True)
class Relation:
    """A financial relation with a company that sells to patients or to those who treat them."""

    company: str
    nature: str
    has_ended: bool = False


@dataclass(frozen=True)
class Typed:
    """The form as it was sent, before anybody looked at it."""

    relations: tuple[Relation, ...] = ()
    has_nothing: bool = False
    signed_by: str = ""
    is_complete: bool = False
    """Ticked: this is complete and true."""


@dataclass(frozen=True)
class Disclosure:
    """A signed statement; no relations means that there are none."""

    relations: tuple[Relation, ...]
    signed_by: str
    signed_on: date


def signed(typed: Typed, *, on: date) -> Disclosure:
    """The statement as it is kept; raises FormRefused naming every field that is wrong."""
    relations = tuple(
        Relation(one_line(relation.company), relation.nature, relation.has_ended)
        for relation in typed.relations
        if relation.company.strip() or relation.nature
    )
    problems = {}
    for number, relation in enumerate(typed.relations):
        if relation.company.strip() and relation.nature not in NATURES:
            problems[f"nature-{number}"] = "Choose what the relation is."
        elif relation.nature and not relation.company.strip():
            problems[f"company-{number}"] = "Name the company."
        if len(one_line(relation.company)) > LONGEST_NAME:
            problems[f"company-{number}"] = f"Up to {LONGEST_NAME} letters, please."
    if len(relations) > MOST_RELATIONS:
        problems["relations"] = f"Up to {MOST_RELATIONS} relations fit here; write to us for more."
    if typed.has_nothing and relations:
        problems["answer"] = "You say that there is nothing, and name a relation. Which is right?"
    if not typed.has_nothing and not relations:
        problems["answer"] = "Name your relations, or say that there are none."
    name = one_line(typed.signed_by)
    if not 2 <= len(name) <= LONGEST_NAME:
        problems["signed_by"] = "Type your name as a signature."
    if not typed.is_complete:
        problems["is_complete"] = "Confirm that this is complete and true."
    if problems:
        raise FormRefused(problems)
    return Disclosure(relations, name, on)


def since(day: date) -> date:
    """The first day that a statement of this day looks back to."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - MONTHS_BACK // 12)


def words_for_audience(disclosure: Disclosure, mitigation: str = "") -> str:
    """What people are told: company, nature, ended or not, and what was done about it."""
    if not disclosure.relations:
        return NOTHING
    by_nature: dict[str, list[str]] = {}
    for relation in disclosure.relations:
        words = relation.company + (" (ended)" if relation.has_ended else "")
        by_nature.setdefault(relation.nature, []).append(words)
    said = "; ".join(
        f"{NATURES[nature]}: {', '.join(companies)}" for nature, companies in by_nature.items()
    )
    done = mitigation.strip().rstrip(".")
    return f"{said}. Mitigated: {done}." if done else f"{said}."


def to_data(disclosure: Disclosure) -> dict[str, object]:
    """As it is stored: plain JSON."""
    return {
        "relations": [
            {"company": one.company, "nature": one.nature, "ended": one.has_ended}
            for one in disclosure.relations
        ],
        "signed_by": disclosure.signed_by,
        "signed_on": disclosure.signed_on.isoformat(),
        "since": since(disclosure.signed_on).isoformat(),
    }


def from_data(data: Mapping[str, object]) -> Disclosure:
    """The statement that `to_data` stored."""
    rows = data["relations"]
    if not isinstance(rows, list):
        raise ValueError(f"not a disclosure: {data!r}")
    return Disclosure(
        relations=tuple(
            Relation(str(row["company"]), str(row["nature"]), bool(row["ended"])) for row in rows
        ),
        signed_by=str(data["signed_by"]),
        signed_on=date.fromisoformat(str(data["signed_on"])),
    )


def day_in_words(day: date) -> str:
    """`22 November 2026`."""
    return f"{day.day} {LONG_MONTHS[day.month - 1]} {day.year}"
