"""What became of every mail after the killing: lost, doubled, explained, how late."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.crash.processes import Kill
from tests.crash.sink import Accepted

# From the server's yes until it is written down that it said so; a disk may be slow.
UNTIL_WRITTEN_SECONDS = 5.0


@dataclass(frozen=True)
class Reckoning:
    """Of mails that were owed."""

    owed: int
    lost: list[str]
    doubled: list[str]
    unexplained: list[str]
    lateness: list[float]  # seconds, in order

    @property
    def words(self) -> str:
        """All of it in a line."""
        return (
            f"owed {self.owed}, lost {len(self.lost)}, doubled {len(self.doubled)} "
            f"(unexplained {len(self.unexplained)}), late p50 {self.late(0.5):.1f} s, "
            f"p95 {self.late(0.95):.1f} s, at most {self.late(1):.1f} s"
        )

    def late(self, share: float) -> float:
        """The lateness (seconds) below which this share of the mails lies."""
        return self.lateness[min(len(self.lateness) - 1, int(share * len(self.lateness)))]


def reckon(due: dict[str, float], accepted: Iterable[Accepted], kills: Sequence[Kill]) -> Reckoning:
    """`due`: when each mail was due (seconds since 1970), by the address it goes to.

    A double is explained if the process that had the yes was killed before it could write it down.
    """
    arrived: dict[str, list[Accepted]] = defaultdict(list)
    for one in accepted:
        if one.recipient in due:
            arrived[one.recipient].append(one)
    doubled = [address for address, mails in arrived.items() if len(mails) > 1]
    return Reckoning(
        owed=len(due),
        lost=[address for address in due if address not in arrived],
        doubled=doubled,
        unexplained=[
            address
            for address in doubled
            if not all(_was_cut_off(mail, kills) for mail in arrived[address][:-1])
        ],
        lateness=sorted(
            arrived[address][0].at - at for address, at in due.items() if arrived[address]
        ),
    )


def _was_cut_off(mail: Accepted, kills: Sequence[Kill]) -> bool:
    return any(
        kill.pid == mail.pid and -0.05 <= kill.at - mail.at <= UNTIL_WRITTEN_SECONDS
        for kill in kills
    )
