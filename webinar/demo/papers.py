"""What people hand in after an evening of the demonstration, and the credit they get for it."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.demo.attending import NO_SECRET, Visit
from webinar.demo.evenings import Act, Evening, Stage
from webinar.domain.attendance import ViewingMode
from webinar.models import TestItem, User, WebinarSession
from webinar.services import attendance, credits, evaluations, quizzes
from webinar.services.evidence.segment_rows import Touched

DECIDED_AFTER = timedelta(minutes=6)
WATCHED_AGAIN_AFTER = timedelta(days=1)
# The participant's latest evening still waits for an evaluation: something to try.
NOT_EVALUATED = 0
# The evening whose recording the participant watched, too, with its test.
WATCHED_AGAIN = 1

REMARKS = (
    "",
    "",
    "The second case was the best part.",
    "Please leave the slides up a little longer.",
    "Sound was fine even on the hospital network.",
)
TOPICS = ("", "", "Rehabilitation after surgery", "More on rare tumours", "Second opinions")


def papers(
    stage: Stage, evening: Evening, number: int, found: Sequence[Visit], *, seconds: float
) -> list[Act]:
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
    if number == WATCHED_AGAIN and evening.talk.test:
        participant = stage.cast.participant
        acts.append(
            _second_watching(stage, session, participant, ended_at + WATCHED_AGAIN_AFTER, seconds)
        )
    return acts


def _evaluation(
    stage: Stage, session: WebinarSession, user: User, form: dict[str, str], at: datetime
) -> Act:
    def give(now: datetime) -> None:
        asked = evaluations.asked_of(session)
        evaluations.give(stage.db, session, user.id, answers=evaluations.read(form, asked), now=now)
        _decide(stage, session, user, now=now)

    return Act(at, give)


def _second_watching(
    stage: Stage, session: WebinarSession, user: User, at: datetime, seconds: float
) -> Act:
    """The recording from beginning to end, then the test, all right but one."""

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
        items = stage.db.scalars(
            select(TestItem).where(TestItem.session_id == session.id).order_by(TestItem.position)
        ).all()
        answers = {item.id: item.correct_option for item in items}
        answers[items[-1].id] = (items[-1].correct_option + 1) % len(items[-1].options)
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
