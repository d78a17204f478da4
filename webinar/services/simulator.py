"""The credit simulator over the policies that are in force here."""

from dataclasses import dataclass

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.simulator import MORE_MINUTES, Line, simulate
from webinar.services import accreditors
from webinar.services.policy_versions import rules_offered


@dataclass(frozen=True)
class Earned:
    """A line with what the body calls one of its credits."""

    line: Line
    unit: str


def earned_by(
    db: DbSession,
    *,
    minutes_talk: int,
    minutes_questions: int = 0,
    more: int = MORE_MINUTES,
    mode: ViewingMode | None = None,
) -> list[Earned]:
    """What a session earns under each approved policy, live before recorded.

    Raises ImpossibleLength.
    """
    rules = [rule for rule in rules_offered(db) if mode in (None, rule.rules.mode)]
    bodies = accreditors.listed(db)
    lines = simulate(minutes_talk, minutes_questions, [rule.rules for rule in rules], more=more)
    found = [accreditors.body_of(rule, bodies) for rule in rules]
    return [
        Earned(line, body.unit if body else "credit")
        for line, body in zip(lines, found, strict=True)
    ]
