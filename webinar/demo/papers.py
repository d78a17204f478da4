"""What people hand in after an evening of the demonstration, and the credit they get for it."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.demo.attending import NO_SECRET, Visit
from webinar.demo.evenings import Act, Evening, Stage
from webinar.demo.lectures import Reel
from webinar.domain.attendance import ViewingMode
from webinar.models import TestItem, User, WebinarSession
from webinar.services import attendance, credits, evaluations, quizzes
from webinar.services.evidence.segment_rows import Touched

DECIDED_AFTER = timedelta(minutes=6)
WATCHED_AGAIN_AFTER = timedelta(hours=20)
# The participant's latest evening still waits for an evaluation: something to try.
NOT_EVALUATED = 0

REMARKS = (
    "",
    "",
    "The second case was the best part.",
    "Please leave the slides up a little longer.",
    "Sound was fine even on the hospital network.",
)
TOPICS = ("", "", "Rehabilitation after surgery", "More on rare tumours", "Second opinions")


def papers(stage: Stage, evening: Evening, number: int, found: Sequence[Visit]) -> list[Act]:
    """Decisions after the evening, evaluations one by one, each followed by its decision."""
    if not found:
        return []
    db, session = stage.db, evening.session
    ended_at = session.ends_at + evening.overrun
    chance = random.Random(f"papers {number}")  # noqa: S311 -- no secret

    def decide(now: datetime) -> None:
        credits.decide_session(db, session.id, public_url=stage.calendar.public_url, now=now)

    acts = [Act(ended_at + DECIDED_AFTER, decide)]
    for visit in found:
        is_participant = visit.user.id == stage.cast.participant.id
        gives = number != NOT_EVALUATED if is_participant else chance.random() < 0.75
        if gives:
            form = _form(evening, chance)
            after = timedelta(minutes=chance.randint(8, 180))
            acts.append(_evaluation(stage, session, visit.user, form, ended_at + after))
    return acts


def _evaluation(
    stage: Stage, session: WebinarSession, user: User, form: dict[str, str], at: datetime
) -> Act:
    def give(now: datetime) -> None:
        asked = evaluations.asked_of(session)
        evaluations.give(stage.db, session, user.id, answers=evaluations.read(form, asked), now=now)
        _decide(stage, session, user, now=now)

    return Act(at, give)


def tested(stage: Stage, past: Sequence[Evening], reels: Sequence[Reel]) -> list[Act]:
    """Everybody registered watches one recording, too, and takes its test."""
    # The latest evening is left to whoever tries the demonstration.
    number = next(
        number
        for number, evening in enumerate(past)
        if evening.talk.test and number != NOT_EVALUATED
    )
    seconds = sum(segment.duration_seconds for segment in reels[number].segments)
    session = past[number].session
    chance = random.Random("tests")  # noqa: S311 -- no secret
    acts = []
    audience = stage.cast.audience
    people = [stage.cast.participant, *audience[: len(audience) * 2 // 3]]
    for place, user in enumerate(people):
        # The participant comes first, and is good at it.
        knows = 0.95 if place == 0 else chance.choice((0.45, 0.65, 0.75, 0.85, 0.95))
        after = WATCHED_AGAIN_AFTER + timedelta(minutes=chance.randint(0, 600))
        at = session.ends_at + past[number].overrun + after
        acts.append(_second_watching(stage, session, user, at, seconds, knows))
    return acts


def _second_watching(
    stage: Stage, session: WebinarSession, user: User, at: datetime, seconds: float, knows: float
) -> Act:
    """The recording from beginning to end, then the test; `knows` is how likely an answer is right.

    The first questions are easier than the last ones.
    """

    def watch(now: datetime) -> None:
        issued = attendance.issue_pass(
            stage.db, session, user.id, mode=ViewingMode.RECORDED, secret=NO_SECRET, now=now
        )
        over = now + timedelta(seconds=seconds)
        attendance.store_segments(
            stage.db,
            [Touched(issued.pass_id, 0, 0, int(seconds * 1000), int(seconds // 15), now, over)],
            now=over,
        )
        chance = random.Random(f"test of {user.email}")  # noqa: S311 -- no secret
        items = stage.db.scalars(
            select(TestItem).where(TestItem.session_id == session.id).order_by(TestItem.position)
        ).all()
        answers = {}
        for place, item in enumerate(items):
            is_right = chance.random() < knows + 0.1 - 0.04 * place
            turn = 0 if is_right else chance.randint(1, len(item.options) - 1)
            answers[item.id] = (item.correct_option + turn) % len(item.options)
        quizzes.take(stage.db, session, user.id, answers=answers, now=over)
        _decide(stage, session, user, now=over + timedelta(minutes=2))

    return Act(at, watch)


def _decide(stage: Stage, session: WebinarSession, user: User, *, now: datetime) -> None:
    credits.decide_person(
        stage.db, session.id, user.id, public_url=stage.calendar.public_url, now=now
    )


def _form(evening: Evening, chance: random.Random) -> dict[str, str]:
    """A filled-in form, mostly content, as after a good evening."""
    ratings = ["relevance", "quality"]
    ratings += [f"objective-{n}" for n in range(1, len(evening.talk.objectives) + 1)]
    ratings += [f"speaker-{n}" for n in range(1, len(evening.faculty) + 1)]
    return {
        **{name: str(chance.choice((3, 4, 4, 5, 5, 5))) for name in ratings},
        "bias": "no",
        "practice": chance.choice(("change", "confirmed", "confirmed", "not_yet", "no")),
        "topics": chance.choice(TOPICS),
        "remarks": chance.choice(REMARKS),
    }
