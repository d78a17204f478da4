"""Evaluations: who has given one is known, what they said is not theirs to be found.

The answers stand in a table without person, time or order. What a database knows beside its
columns (which transaction wrote a row, where it lies) would tell both apart from the rest, so all
answers of a session are laid anew together, in another order, some time after one came in.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from secrets import SystemRandom

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.errors import Conflict
from webinar.domain.person import FormRefused
from webinar.models import EvaluationAnswers, EvaluationGiven, WebinarSession
from webinar.services import presences

RATINGS = ("1", "2", "3", "4", "5")
LONGEST_TEXT = 2_000
MIXED_FOR = timedelta(days=2)
PRACTICE = {
    "change": "Yes, I will change something",
    "confirmed": "No, it confirms what I do",
    "not_yet": "I want to, but something stands in the way",
    "no": "No",
}


class AlreadyGiven(Conflict):
    """One person, one session, one evaluation."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """An evaluation as it is given. Ratings go from 1 (not at all) to 5 (fully)."""

    objectives: tuple[str, ...]
    """One rating for each objective."""
    relevance: str
    speakers: tuple[str, ...]
    """One rating for each member of the faculty."""
    quality: str
    bias: str
    """yes | no"""
    bias_words: str = ""
    practice: str
    practice_words: str = ""
    barriers: str = ""
    topics: str = ""
    remarks: str = ""
    objectives_asked: tuple[str, ...] = ()
    """The words the ratings were given to: the session's may be changed afterwards."""
    speakers_asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What the form of a session asks, beyond what every form asks."""

    objectives: tuple[str, ...] = field(default=())
    speakers: tuple[str, ...] = field(default=())


def asked_of(session: WebinarSession) -> Asked:
    """The objectives and the people this session's evaluation is about."""
    objectives = [line.strip() for line in session.objectives.splitlines() if line.strip()]
    speakers = list(dict.fromkeys(member.name for member in session.faculty))
    return Asked(
        objectives=tuple(objectives) or ("The session kept what its title promised",),
        speakers=tuple(speakers),
    )


def is_given(db: DbSession, session_id: int, user_id: int) -> bool:
    """True once the person has given their evaluation."""
    return db.get(EvaluationGiven, (session_id, user_id)) is not None


def read(form: Mapping[str, str], asked: Asked) -> Answers:
    """The form as answers; FormRefused names every field that needs another look."""
    problems: dict[str, str] = {}

    def rating(name: str, sentence: str) -> str:
        value = form.get(name, "")
        if value not in RATINGS:
            problems[name] = sentence
        return value

    def text(name: str) -> str:
        value = form.get(name, "").strip()
        if len(value) > LONGEST_TEXT:
            problems[name] = f"Please stay below {LONGEST_TEXT} characters."
        return value

    objectives = tuple(
        rating(f"objective-{number}", f"Say whether this was reached: {words}")
        for number, words in enumerate(asked.objectives, start=1)
    )
    relevance = rating("relevance", "Say how relevant it was for your work.")
    speakers = tuple(
        rating(f"speaker-{number}", f"Say how well {name} presented.")
        for number, name in enumerate(asked.speakers, start=1)
    )
    quality = rating("quality", "Say how picture, sound and organisation were.")
    bias, bias_words = form.get("bias", ""), text("bias_words")
    if bias not in ("yes", "no"):
        problems["bias"] = "Say whether you noticed commercial bias."
    elif bias == "yes" and not bias_words:
        problems["bias_words"] = "Describe the bias you noticed; a few words are enough."
    practice = form.get("practice", "")
    if practice not in PRACTICE:
        problems["practice"] = "Say whether you will change something in your practice."
    answers = Answers(
        objectives=objectives,
        relevance=relevance,
        speakers=speakers,
        quality=quality,
        bias=bias,
        bias_words=bias_words,
        practice=practice,
        practice_words=text("practice_words"),
        barriers=text("barriers"),
        topics=text("topics"),
        remarks=text("remarks"),
        objectives_asked=asked.objectives,
        speakers_asked=asked.speakers,
    )
    if problems:
        raise FormRefused(problems)
    return answers


def give(
    db: DbSession, session: WebinarSession, user_id: int, *, answers: Answers, now: datetime
) -> None:
    """Store the fact with the person and the answers without; AlreadyGiven the second time."""
    presences.ensure_seen(db, session, user_id, what="evaluation", now=now)
    if is_given(db, session.id, user_id):
        raise AlreadyGiven(
            "You have given your evaluation of this session; thank you. It cannot be changed, "
            "because it is kept without your name."
        )
    try:
        with db.begin_nested():
            db.execute(
                insert(EvaluationGiven).values(session_id=session.id, user_id=user_id, given_at=now)
            )
    except IntegrityError:
        # The same form sent twice at once: the other one has stored it.
        raise AlreadyGiven("You have given your evaluation of this session; thank you.") from None
    db.add(
        EvaluationAnswers(id=secrets.token_hex(16), session_id=session.id, answers=asdict(answers))
    )
    db.flush()


def mix(db: DbSession, *, now: datetime) -> int:
    """Lay the answers of every session anew that got some lately; returns how many.

    To be called more often than every MIXED_FOR, so that none is left out.
    """
    lately = select(EvaluationGiven.session_id).where(EvaluationGiven.given_at > now - MIXED_FOR)
    mixed = 0
    for session_id in db.scalars(lately.distinct().order_by(EvaluationGiven.session_id)).all():
        answers = list(
            db.scalars(
                delete(EvaluationAnswers)
                .where(EvaluationAnswers.session_id == session_id)
                .returning(EvaluationAnswers.answers)
            )
        )
        SystemRandom().shuffle(answers)
        rows = [
            {"id": secrets.token_hex(16), "session_id": session_id, "answers": each}
            for each in answers
        ]
        # A session whose answers were all erased has none.
        if rows:
            db.execute(insert(EvaluationAnswers), rows)
        mixed += len(rows)
    return mixed
