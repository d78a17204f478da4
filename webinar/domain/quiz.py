"""Tests out of a bank of questions: what is drawn, how it is shown, what the answers tell."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from random import Random

from webinar.domain.policy import TestFeedback

FEW_TRIES = 30
"""Below this many people an item's figures are accidents as much as facts."""
FEWEST_TO_DISCRIMINATE = 10
HARD, EASY = Fraction(3, 10), Fraction(95, 100)
WEAK_DISCRIMINATION = 0.1

# Answers about the other answers make sense only below them.
_ABOUT_THE_OTHERS = ("all of the ", "all the ", "none of the ", "neither of the ", "both of the ")
_LENIENCE = {TestFeedback.NOTHING: 0, TestFeedback.HINTS: 1, TestFeedback.COMMENTS: 2}


@dataclass(frozen=True)
class Given:
    """What one person answered on one paper: item -> option, and which of them were right."""

    answers: Mapping[int, int]
    right: frozenset[int]

    def rest_share(self, item_id: int) -> float | None:
        """The share of the other questions that was right; None if there is no other."""
        others = len(self.answers) - 1
        return None if others < 1 else len(self.right - {item_id}) / others


@dataclass(frozen=True, kw_only=True)
class ItemStatistics:
    """How a question did in first tries."""

    tries: int
    right: int
    chosen: tuple[int, ...]
    """How often each option was chosen."""
    discrimination: float | None
    """Correlation of this answer being right with the share right of the other questions, -1 to 1.
    None: too few tries, or no differences to compare."""

    @property
    def difficulty(self) -> Fraction | None:
        """The share of right answers: a high one is an easy question."""
        return Fraction(self.right, self.tries) if self.tries else None

    @property
    def is_few(self) -> bool:
        """True while the figures rest on too few people to act upon."""
        return self.tries < FEW_TRIES


def draw(
    bank: Sequence[int], count: int | None, asked_before: Collection[int], chance: Random
) -> list[int]:
    """`count` of the bank in random order, those not asked before first; None: all of them."""
    if count is None or count >= len(bank):
        return chance.sample(bank, len(bank))
    fresh = [item for item in bank if item not in asked_before]
    known = [item for item in bank if item in asked_before]
    chosen = chance.sample(fresh, min(count, len(fresh)))
    chosen += chance.sample(known, count - len(chosen))
    return chance.sample(chosen, len(chosen))


def shuffled(options: Sequence[str], chance: Random) -> list[int]:
    """The options' places in random order; “all of the above” and its like stay last."""
    free = [place for place, words in enumerate(options) if not _is_about_the_others(words)]
    last = [place for place, words in enumerate(options) if _is_about_the_others(words)]
    return chance.sample(free, len(free)) + last


def needed(marks: Collection[Fraction], of: int) -> int | None:
    """The right answers that pass for everybody who set a mark; None without one."""
    return ceil(max(marks) * of) if marks else None


def strictest(wanted: Collection[TestFeedback]) -> TestFeedback:
    """What may be told where several have a say."""
    return min(wanted, key=_LENIENCE.__getitem__, default=TestFeedback.COMMENTS)


def statistics_of(item_id: int, options: int, papers: Sequence[Given]) -> ItemStatistics:
    """An item over the first tries of people; papers that did not ask it are left out."""
    asked = [paper for paper in papers if item_id in paper.answers]
    chosen = [0] * options
    for paper in asked:
        chosen[paper.answers[item_id]] += 1
    pairs = [
        (float(item_id in paper.right), rest)
        for paper in asked
        if (rest := paper.rest_share(item_id)) is not None
    ]
    return ItemStatistics(
        tries=len(asked),
        right=sum(item_id in paper.right for paper in asked),
        chosen=tuple(chosen),
        discrimination=_correlation(pairs) if len(pairs) >= FEWEST_TO_DISCRIMINATE else None,
    )


def remarks_on(found: ItemStatistics, right_option: int) -> list[str]:
    """What an author should look at, in sentences; nothing while the figures rest on few."""
    if found.is_few or found.difficulty is None:
        return []
    remarks = []
    if found.discrimination is not None and found.discrimination < 0:
        remarks.append(
            "Who did well on the other questions got this one wrong more often. "
            "Look whether the right answer is marked, and whether the words mislead."
        )
    elif found.discrimination is not None and found.discrimination < WEAK_DISCRIMINATION:
        remarks.append("It hardly tells apart who did well on the other questions.")
    if found.difficulty < HARD:
        remarks.append("Few find the right answer. Was it said clearly in the session?")
    elif found.difficulty > EASY:
        remarks.append("Nearly everybody finds it. It may be a warm-up, or give itself away.")
    unused = [
        place
        for place, times in enumerate(found.chosen, start=1)
        if not times and place - 1 != right_option
    ]
    if unused and found.difficulty <= EASY:
        which = "answer" if len(unused) == 1 else "answers"
        places = " and ".join(str(place) for place in unused)
        remarks.append(f"Nobody chose {which} {places}. Another wrong answer may be nearer.")
    return remarks


def _is_about_the_others(words: str) -> bool:
    return words.strip().casefold().startswith(_ABOUT_THE_OTHERS)


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    count = len(pairs)
    mean_x = sum(x for x, _ in pairs) / count
    mean_y = sum(y for _, y in pairs) / count
    spread_x = sum((x - mean_x) ** 2 for x, _ in pairs)
    spread_y = sum((y - mean_y) ** 2 for _, y in pairs)
    # Equal shares differ by rounding alone.
    if spread_x < 1e-9 or spread_y < 1e-9:
        return None
    shared = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return float(shared / (spread_x * spread_y) ** 0.5)
