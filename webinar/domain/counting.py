"""Which seconds count: what was seen, put right by corrections, and what an outage does to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from webinar.domain.figures import minutes_and_seconds
from webinar.domain.policy import OutageRule
from webinar.domain.span import Point, Span, clip, covered_seconds, union

NEAR_SECONDS = 120
"""How close to an outage one must have been seen, before and after, to have been there: a picture
that stops is noticed late, and a page is opened again later still."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Seconds that count of the seconds that are asked for, and what changed them."""

    seconds: int
    window_seconds: int
    """What is left of the window without the outages that are taken out of it."""
    outage_seconds: int = 0
    """Seconds of the window declared as an outage, whatever became of them."""
    forgiven_seconds: int = 0
    """Seconds of an outage that count for this person, who did not see them."""
    added_seconds: int = 0
    """Seconds that count because of a correction alone."""
    removed_seconds: int = 0
    """Seconds that were seen and do not count because of a correction."""
    outage_left_in: bool = False
    """The rule takes outages out of the session; here that would have given less."""
    spans: tuple[Span[int], ...] = field(default=(), compare=False, repr=False)
    """What counts, and of it what is forgiven; what was taken out of the window."""
    forgiven: tuple[Span[int], ...] = field(default=(), compare=False, repr=False)
    taken_out: tuple[Span[int], ...] = field(default=(), compare=False, repr=False)


def count(
    window: Span[int],
    evidence: Iterable[Span[int]],
    *,
    added: Iterable[Span[int]] = (),
    removed: Iterable[Span[int]] = (),
    outages: Iterable[Span[int]] = (),
    rule: OutageRule = OutageRule.EXCLUDED,
) -> Counted:
    """Count on one clock, in whole seconds; where a second is added and removed, it is removed."""
    seen = union(clip(evidence, window))
    gone = union(clip(removed, window))
    down = union(clip(outages, window))
    given = clip(added, window)
    if not (gone or down or given):
        # By far most cases: nothing changes what was seen.
        return Counted(
            seconds=covered_seconds(seen),
            window_seconds=window.end - window.start,
            spans=tuple(seen),
        )
    put_right = without(union([*seen, *given]), gone)
    asked = [window]
    counted = put_right
    if rule is OutageRule.EXCLUDED:
        asked = without(asked, down)
        counted = without(put_right, down)
    elif rule is OutageRule.CREDITED:
        forgiven = [span for span in down if _was_there(put_right, span, window)]
        counted = union([*put_right, *without(forgiven, gone)])
    unasked = down if rule is OutageRule.EXCLUDED else []
    return Counted(
        seconds=covered_seconds(counted),
        window_seconds=covered_seconds(asked),
        outage_seconds=covered_seconds(down),
        forgiven_seconds=covered_seconds(counted) - covered_seconds(without(put_right, unasked)),
        added_seconds=covered_seconds(without(without(put_right, seen), unasked)),
        removed_seconds=covered_seconds(without(without(seen, put_right), unasked)),
        spans=tuple(counted),
        forgiven=tuple(without(counted, put_right)),
        taken_out=tuple(unasked),
    )


def without(spans: Iterable[Span[Point]], holes: Iterable[Span[Point]]) -> list[Span[Point]]:
    """The ground of `spans` that no hole covers, in order."""
    left = union(spans)
    for hole in union(holes):
        rest = []
        for span in left:
            rest.append(Span(span.start, max(span.start, min(span.end, hole.start))))
            rest.append(Span(min(span.end, max(span.start, hole.end)), span.end))
        left = union(rest)
    return left


def notes(counted: Counted, rule: OutageRule, body: str) -> list[str]:
    """A sentence for each thing that changed the count."""
    found = []
    if counted.outage_seconds:
        outage = minutes_and_seconds(counted.outage_seconds)
        if counted.outage_left_in:
            found.append(f"An outage of {outage} was left in the session: so you get more.")
        elif rule is OutageRule.EXCLUDED:
            found.append(f"An outage of {outage} was taken out of the session.")
        elif rule is OutageRule.NOTHING:
            found.append(f"{body} does not forgive the outage of {outage}.")
        elif counted.forgiven_seconds:
            forgiven = minutes_and_seconds(counted.forgiven_seconds)
            found.append(f"{forgiven} of an outage count, as you were there before and after it.")
        else:
            found.append(
                f"The outage of {outage} counts for who was there before and after it; nothing "
                "was added for you."
            )
    if counted.added_seconds:
        found.append(f"{minutes_and_seconds(counted.added_seconds)} added by a correction.")
    if counted.removed_seconds:
        found.append(f"{minutes_and_seconds(counted.removed_seconds)} taken away by a correction.")
    return found


def _length(apart: Iterable[Span[int]]) -> int:
    return sum(span.end - span.start for span in apart)


def _was_there(ground: Iterable[Span[int]], outage: Span[int], window: Span[int]) -> bool:
    """True if one was seen shortly before and shortly after; a border of the window asks for less.

    Of an outage from the first second to the last nobody can say who was there.
    """
    begins, ends = outage.start == window.start, outage.end == window.end
    if begins and ends:
        return False
    before = Span(outage.start - NEAR_SECONDS, outage.start)
    after = Span(outage.end, outage.end + NEAR_SECONDS)
    seen = list(ground)
    return (begins or any(span.overlaps(before) for span in seen)) and (
        ends or any(span.overlaps(after) for span in seen)
    )
