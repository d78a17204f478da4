"""Topics as a small tree: in order, never in a circle, never deeper than three levels."""

from collections.abc import Iterator, Mapping

from webinar.domain.errors import DomainError

DEEPEST = 3

Parents = Mapping[int, int | None]
"""Each topic's id with that of the topic above it."""


class DoesNotFit(DomainError):
    """The topic cannot stand there."""


def in_order(parents: Parents, names: Mapping[int, str]) -> list[tuple[int, int]]:
    """Every topic with its level from 1, each followed by those below it, by name."""

    def below(parent_id: int | None, level: int) -> Iterator[tuple[int, int]]:
        for topic_id in sorted(
            (one for one, above in parents.items() if above == parent_id),
            key=lambda one: (names[one].casefold(), one),
        ):
            yield topic_id, level
            yield from below(topic_id, level + 1)

    return list(below(None, 1))


def ensure_fits(parents: Parents, topic_id: int, parent_id: int | None) -> None:
    """Raise DoesNotFit unless the topic, with all below it, can stand below that parent."""
    above = _upward(parents, parent_id)
    if topic_id in above:
        raise DoesNotFit("A topic cannot stand below itself. Choose another place.")
    if len(above) + _height(parents, topic_id) > DEEPEST:
        raise DoesNotFit(
            f"Topics have {DEEPEST} levels at most, and this would make more. "
            "Choose a place further up."
        )


def _upward(parents: Parents, topic_id: int | None) -> list[int]:
    """The topic and all above it."""
    found: list[int] = []
    while topic_id is not None and topic_id not in found:
        found.append(topic_id)
        topic_id = parents.get(topic_id)
    return found


def _height(parents: Parents, topic_id: int) -> int:
    """How many levels the topic takes with those below it."""
    below = [one for one, above in parents.items() if above == topic_id]
    return 1 + max((_height(parents, one) for one in below), default=0)
