"""Until when one can still join for each credit, and how much of a recording each credit takes.

The rules of `domain.credit` decide about somebody who does all else that is asked, so that the page
and the certificate agree to the second. Who joins later never earns more: the last second is found
by halving.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import CaseFacts, Grant, TestResult, decide
from webinar.domain.policy import CreditPolicy
from webinar.domain.span import Span, union

MOST_STEPS = 12
"""Amounts of one body that are told apart; a long evening in small units has more."""


@dataclass(frozen=True)
class LastCall:
    """Who joins in the second `by`, and stays, still earns `credit`; one second later, not.

    On the clock of the window, which is Unix time for a live session. `by` is the window's end for
    what is earned already.
    """

    credit: Decimal
    by: int


@dataclass(frozen=True)
class Enough:
    """So many seconds of a recording, seen at least once, earn `credit`; one less does not."""

    credit: Decimal
    seconds: int


def last_calls(
    policy: CreditPolicy,
    grant: Grant,
    window: Span[int],
    *,
    since: int | None = None,
    watched: Sequence[Span[int]] = (),
    outages: Sequence[Span[int]] = (),
) -> tuple[LastCall, ...]:
    """Every amount that can still be earned, the highest first; none if it is too late for any.

    `since`: from when on one can join, else from the window's start. `watched`: what counts
    already. `outages`: declared so far.
    """
    first = window.start if since is None else max(window.start, min(since, window.end))

    def credit_from(join: int) -> Decimal:
        evidence = tuple(union([*watched, Span(join, window.end)]))
        return _credit(policy, grant, window, evidence, tuple(outages))

    def last_for(least: Decimal, join: int) -> int:
        return _last(join, window.end, lambda second: credit_from(second) >= least)

    found: list[LastCall] = []
    join = first
    while len(found) < MOST_STEPS and (credit := credit_from(join)) > 0:
        by = last_for(credit, join)
        found.append(LastCall(credit, by))
        if by >= window.end:
            break
        join = by + 1
    return tuple(found)


def enough(policy: CreditPolicy, grant: Grant, seconds: int) -> tuple[Enough, ...]:
    """What a recording of so many seconds earns, the smallest amount first."""
    window = Span(0, seconds)
    calls = last_calls(policy, grant, window)
    return tuple(Enough(call.credit, seconds - call.by) for call in reversed(calls))


def best(calls: Iterable[LastCall]) -> LastCall | None:
    """The most that can still be earned."""
    return max(calls, key=lambda call: call.credit, default=None)


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The last of these seconds for which it holds; it holds for the first."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _credit(
    policy: CreditPolicy,
    grant: Grant,
    window: Span[int],
    evidence: tuple[Span[int], ...],
    outages: tuple[Span[int], ...],
) -> Decimal:
    asked = max(policy.min_checks_answered, 1)
    return decide(
        policy,
        CaseFacts(
            mode=policy.mode,
            window=window,
            evidence=evidence,
            grant=grant,
            wall_seconds=(
                window.end - window.start if policy.mode is ViewingMode.RECORDED else None
            ),
            checks_answered=asked,
            checks_issued=asked,
            test=TestResult(correct=1, of=1),
            evaluation=True,
            identifier=True,
            outages=outages,
        ),
    ).credit
