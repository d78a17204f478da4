"""What watching a recording can earn: how much of it each body wants, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Grant, GrantStatus
from webinar.domain.figures import minutes_and_seconds, plain_credit
from webinar.domain.last_call import Enough, enough
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services.grants import rules_of


@dataclass(frozen=True)
class Goal:
    """What one body gives. `until`: from then on watching earns nothing of it."""

    body: str
    steps: tuple[Enough, ...]
    until: datetime
    is_over: bool
    has_test: bool

    @property
    def most(self) -> Enough:
        """All that can be had, and how much of the recording it takes."""
        return self.steps[-1]

    @property
    def words(self) -> str:
        """`1 ACOE from 40:30`; each amount, where it comes in pieces."""
        amounts = [
            f"{plain_credit(step.credit)} from {minutes_and_seconds(step.seconds)}"
            for step in self.steps
        ]
        first, *rest = amounts
        amount, _, start = first.partition(" ")
        return ", ".join([f"{amount} {self.body} {start}", *rest])


@dataclass(frozen=True)
class Clock:
    """One end of credit, and the bodies whose it is: "ACOE and ESMO-MORA"."""

    until: datetime
    bodies: str
    is_over: bool


def goals_of(session: WebinarSession, total_seconds: int, watch_until: datetime) -> list[Goal]:
    """Of every body that gives credit for the recording, in the order of the grants.

    Who cannot watch any more earns nothing more: no goal outlasts the window.
    """
    grants = g.db.scalars(
        select(AccreditationGrant)
        .where(
            AccreditationGrant.session_id == session.id,
            AccreditationGrant.mode == ViewingMode.RECORDED,
            AccreditationGrant.status == GrantStatus.GRANTED,
        )
        .options(joinedload(AccreditationGrant.accreditor), joinedload(AccreditationGrant.policy))
        .order_by(AccreditationGrant.id)
    )
    goals = []
    for grant in grants:
        rules = rules_of(grant.policy)
        terms = Grant(credits=grant.credits_granted, mode=ViewingMode.RECORDED)
        steps = enough(rules, terms, total_seconds)
        if steps:
            until = min(grant.credit_until or watch_until, watch_until)
            body = grant.accreditor.short_name
            goals.append(Goal(body, steps, until, g.now >= until, rules.test_required))
    return goals


def clocks_of(goals: Sequence[Goal]) -> list[Clock]:
    """The ends of credit, the first first; bodies with the same one together."""
    by_end: dict[datetime, list[str]] = {}
    for goal in goals:
        by_end.setdefault(goal.until, []).append(goal.body)
    return [
        Clock(
            until, " and ".join(filter(None, [", ".join(bodies[:-1]), bodies[-1]])), g.now >= until
        )
        for until, bodies in sorted(by_end.items())
    ]
