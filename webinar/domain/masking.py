"""Counts of people made safe to hand out: nobody can be singled out, not even by subtraction.

A count below the threshold is not shown; and because totals are shown, neither is so much else
that whoever subtracts what is shown from the total learns of a small group (complementary
suppression).
"""

from collections.abc import Iterable
from dataclasses import dataclass

FEW = 5
"""In a group of fewer people than this somebody might be recognised."""


@dataclass(frozen=True)
class Group:
    """A group that is shown by name."""

    label: str
    people: int


@dataclass(frozen=True)
class Masked:
    """Groups with their names, and the rest together without theirs."""

    groups: tuple[Group, ...]
    others: int = 0
    """How many groups the rest consists of."""
    people_in_others: int = 0


@dataclass(frozen=True)
class Step:
    """A stretch of a scale, [first, beyond), with the people in it."""

    first: int
    beyond: int
    people: int


def mask(counts: Iterable[tuple[str, int]], *, few: int = FEW) -> Masked:
    """Groups of at least `few`, most first; smaller ones go together and lose their names.

    What is together holds two groups at least and `few` people at least: the smallest group with
    a name joins until it does. Groups without people are left out.
    """
    sizes = sorted(
        (Group(label, people) for label, people in counts if people > 0),
        key=lambda group: (-group.people, group.label),
    )
    named = [group for group in sizes if group.people >= few]
    rest = [group for group in sizes if group.people < few]
    while rest and named and (len(rest) < 2 or _people(rest) < few):
        rest.append(named.pop())
    return Masked(tuple(named), len(rest), _people(rest))


def merge_steps(steps: Iterable[Step], *, few: int = FEW) -> tuple[Step, ...]:
    """Neighbours on a scale put together until each stretch holds nobody or `few` at least.

    Fewer than that altogether are one stretch.
    """
    merged: list[Step] = []
    open_step: Step | None = None
    for step in sorted(steps, key=lambda step: step.first):
        if open_step is None and step.people == 0:
            merged.append(step)
            continue
        open_step = step if open_step is None else _joined(open_step, step)
        if open_step.people >= few:
            merged.append(open_step)
            open_step = None
    while open_step is not None:
        if not merged:
            return (open_step,)
        before = merged.pop()
        open_step = _joined(before, open_step)
        if open_step.people >= few:
            merged.append(open_step)
            open_step = None
    return tuple(merged)


def _people(groups: Iterable[Group]) -> int:
    return sum(group.people for group in groups)


def _joined(left: Step, right: Step) -> Step:
    return Step(left.first, right.beyond, left.people + right.people)
