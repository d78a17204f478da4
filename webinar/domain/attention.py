"""Attention checks: how many a person is put, when each falls due, and how long one may take.

A check falls due by what counts so far, not by the clock on the wall: who comes late or watches in
three evenings is asked as often as everybody else, and nobody is asked while nothing plays.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from webinar.domain.attendance import ViewingMode
from webinar.domain.policy import CreditPolicy

ANSWER_SECONDS = 90
"""What the page promises."""
ON_ITS_WAY = timedelta(seconds=15)
"""What an answer may take over a slow network, beyond what the page promises."""
REST = timedelta(minutes=2)
"""Between one check and the next on the wall, whatever has been caught up with."""
SHORTEST_GAP = 180
"""Seconds that count between two checks; less where there is no room for that."""
EARLIEST = 120
LATEST_BEFORE_THE_END = 120
USUAL = 3
"""Where a policy asks for a share of the checks and says no number."""

_PURPOSE = b"attention checks\x00"


def planned_by(policy: CreditPolicy) -> int:
    """How many checks the policy wants put: 0 for most."""
    if policy.checks_planned:
        return policy.checks_planned
    if policy.min_checks_answered:
        return policy.min_checks_answered + 1
    return USUAL if policy.min_checks_ratio else 0


def asked_within(policies: Sequence[CreditPolicy], window_seconds: int) -> int:
    """The seconds that count in which all checks must have been put.

    Whoever reaches the threshold has been asked everything by then. Where credit follows the
    minutes there is no threshold: half the window.
    """
    shares = [policy.threshold for policy in policies if policy.threshold > 0]
    return ceil(min(shares) * window_seconds) if shares else window_seconds // 2


def due_of(policy: CreditPolicy, *, window_seconds: int, seen_seconds: int) -> int:
    """How many checks a share is counted of, asked or not, for who saw so much in our player.

    A player that never asks gets none of them off: by the threshold all were due.
    """
    if not policy.min_checks_ratio:
        return 0
    within = asked_within([policy], window_seconds)
    return planned_by(policy) if 0 < within <= seen_seconds else 0


def plan(
    secret: bytes, session_id: int, user_id: int, mode: ViewingMode, *, count: int, within: int
) -> tuple[int, ...]:
    """After how many counted seconds each check falls due, in their order.

    Drawn evenly from all plans that keep the gap, by a secret: the same for one person whenever it
    is worked out, another one for everybody else, and nobody outside can work it out.
    """
    first = min(EARLIEST, within // 8)
    last = max(within - min(LATEST_BEFORE_THE_END, within // 8), first)
    gap = min(SHORTEST_GAP, (last - first) // (2 * count)) if count else 0
    room = last - first - gap * max(count - 1, 0)
    drawn = sorted(
        _number(secret, f"{session_id}|{user_id}|{mode.value}|{check}") % (room + 1)
        for check in range(count)
    )
    return tuple(first + at + gap * check for check, at in enumerate(drawn))


def _number(secret: bytes, what: str) -> int:
    # 64 bits over a few thousand seconds: no second is likelier than another.
    return int.from_bytes(hmac.digest(secret, _PURPOSE + what.encode(), "sha256")[:8])
