"""What people said in their evaluations, and how they did in the test: two sections of a report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.figures import percent
from webinar.domain.masking import FEW
from webinar.domain.report import Chart, Grid, Line, Section
from webinar.models import (
    EvaluationAnswers,
    EvaluationGiven,
    TestAttempt,
    TestItem,
    WebinarSession,
)
from webinar.services.evaluations import PRACTICE, RATINGS, Asked, asked_of

ROWS_AT_ONCE = 500
FIRST_TRY = 1
REACHED, PRESENTED = "Reached: ", "Presented well: "
RELEVANT, QUALITY = "Relevant for my work", "Picture, sound, organisation"
ORDER = (REACHED, RELEVANT, PRESENTED, QUALITY)
TEXTS = {
    "bias_words": "Commercial bias, in their words",
    "practice_words": "What they will change",
    "barriers": "What stands in the way",
    "topics": "Topics they want",
    "remarks": "Remarks",
}
NAMES = {"1": "1 (not at all)", "5": "5 (fully)"}
TOO_FEW = (
    f"Fewer than {FEW} people answered, so what each question was given is not told: "
    "it would be their answers."
)


@dataclass
class _Tally:
    """Counts that grow while evaluations are read; never holds one of them."""

    given: int = 0
    ratings: dict[str, Counter[str]] = field(default_factory=dict)
    """By question, in the words in which it was asked."""
    bias: Counter[str] = field(default_factory=Counter)
    practice: Counter[str] = field(default_factory=Counter)
    words: dict[str, list[str]] = field(default_factory=dict)

    def add(self, answers: Mapping[str, object], asked: Asked) -> None:
        self.given += 1
        # The session's words may have been changed since: what was rated is kept with the rating.
        objectives = _words(answers.get("objectives_asked")) or asked.objectives
        speakers = _words(answers.get("speakers_asked")) or asked.speakers
        for number, objective in enumerate(objectives):
            self._rate(f"{REACHED}{objective}", _at(answers.get("objectives"), number))
        self._rate(RELEVANT, answers.get("relevance"))
        for number, speaker in enumerate(speakers):
            self._rate(f"{PRESENTED}{speaker}", _at(answers.get("speakers"), number))
        self._rate(QUALITY, answers.get("quality"))
        self.bias[str(answers.get("bias", ""))] += 1
        self.practice[str(answers.get("practice", ""))] += 1
        for name in TEXTS:
            text = answers.get(name)
            if isinstance(text, str) and text:
                self.words.setdefault(name, []).append(text)

    def _rate(self, question: str, answer: object) -> None:
        self.ratings.setdefault(question, Counter())[str(answer)] += 1


def feedback_section(
    db: DbSession, session: WebinarSession, *, attended: int
) -> tuple[Section, dict[str, int]]:
    """The evaluations, without a name: answers have none to begin with."""
    asked = asked_of(session)
    tally = _Tally()
    for answers in db.scalars(
        select(EvaluationAnswers.answers)
        .where(EvaluationAnswers.session_id == session.id)
        .order_by(EvaluationAnswers.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    ):
        tally.add(answers, asked)
    given = db.scalar(select(func.count()).where(EvaluationGiven.session_id == session.id))
    rate = percent(Fraction(tally.given, attended)) if attended >= tally.given > 0 else "not known"
    biased = tally.bias["yes"]
    facts = [
        ("Evaluations given", str(given or 0)),
        ("Share of those who attended", rate),
        ("Noticed commercial bias", f"{biased} of {tally.given}"),
    ]
    charts: list[Chart] = []
    words: list[str] = []
    if 0 < tally.given < FEW:
        words.append(TOO_FEW)
    elif tally.given:
        charts = _charts(tally)
        facts.append(("Objectives reached (rated 4 or 5)", _objectives(tally)))
    section = Section(
        key="feedback",
        title="Feedback",
        facts=tuple(facts),
        words=tuple(words),
        charts=tuple(charts),
        grids=_texts(tally),
    )
    return section, {"evaluations": tally.given, "bias_reports": biased}


def quiz_section(db: DbSession, session: WebinarSession) -> tuple[Section, dict[str, int]]:
    """How the first tries went, and how hard each question was."""
    right: Counter[int] = Counter()
    asked: Counter[int] = Counter()
    people = tries = 0
    score = Fraction(0)
    items = {
        item.id: item
        for item in db.scalars(
            select(TestItem)
            .where(TestItem.session_id == session.id)
            .order_by(TestItem.position, TestItem.id)
        )
    }
    for number, answers, correct, of in db.execute(
        select(TestAttempt.number, TestAttempt.answers, TestAttempt.correct, TestAttempt.of)
        .where(TestAttempt.session_id == session.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    ):
        tries += 1
        if number != FIRST_TRY:
            continue
        people += 1
        score += Fraction(correct, of) if of else 0
        for item_id, option in answers:
            asked[item_id] += 1
            item = items.get(item_id)
            right[item_id] += item is not None and option == item.correct_option
    facts = [("Questions", str(len(items))), ("People who took it", str(people))]
    charts: tuple[Chart, ...] = ()
    if people >= FEW:
        facts.append(("Right answers in the first try, on average", percent(score / people)))
        charts = (
            Chart(
                "Right in the first try, by question",
                "Per cent",
                tuple(
                    Line(
                        item.text,
                        100 * right[item.id] // asked[item.id],
                        percent(Fraction(right[item.id], asked[item.id])),
                    )
                    for item in items.values()
                    if asked[item.id] >= FEW
                ),
                f"Questions that fewer than {FEW} people were asked are left out.",
            ),
        )
    facts.append(("Tries altogether", str(tries)))
    words = () if items else ("This session has no test.",)
    section = Section(
        key="test", title="Test", facts=tuple(facts) if items else (), words=words, charts=charts
    )
    return section, {"tests_taken": people, "test_tries": tries}


def _told(tally: _Tally) -> list[tuple[str, Counter[str]]]:
    """The questions in the order of the form; one that few were asked in these words is not told.

    That one would be their answers.
    """
    asked = [(question, given) for question, given in tally.ratings.items() if given.total() >= FEW]
    return sorted(
        asked, key=lambda pair: next(n for n, of in enumerate(ORDER) if pair[0].startswith(of))
    )


def _charts(tally: _Tally) -> list[Chart]:
    charts = [
        Chart(
            question,
            "Answers",
            tuple(Line(NAMES.get(rating, rating), answers[rating]) for rating in RATINGS),
        )
        for question, answers in _told(tally)
    ]
    charts.append(
        Chart(
            "Will you change something in your practice?",
            "Answers",
            tuple(Line(words, tally.practice[key]) for key, words in PRACTICE.items()),
        )
    )
    return charts


def _objectives(tally: _Tally) -> str:
    high = total = 0
    for question, answers in _told(tally):
        if question.startswith(REACHED):
            high += answers["4"] + answers["5"]
            total += sum(answers.values())
    return percent(Fraction(high, total)) if total else "not asked"


def _texts(tally: _Tally) -> tuple[Grid, ...]:
    return tuple(
        Grid(title, ("No.", "Text"), tuple((str(n), t) for n, t in enumerate(texts, start=1)))
        for name, title in TEXTS.items()
        if (texts := tally.words.get(name))
    )


def _words(values: object) -> tuple[str, ...]:
    """What was asked, as kept with the answers; nothing of answers that came before it was kept."""
    return tuple(str(value) for value in values) if isinstance(values, list | tuple) else ()


def _at(values: object, number: int) -> object:
    return values[number] if isinstance(values, list | tuple) and number < len(values) else ""
