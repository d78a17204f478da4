"""The German medical associations' distributor of credit (EIV): who is reported for an event.

An event has a VNR, a person an EFN; both end in a check digit (Luhn, ISO/IEC 7812-1), as all
numbers of EIV's own test system do. Three reports are known: a full one replaces what was there,
a supplement adds, a deletion removes. Sources and open questions: docs/registries.md.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

EFN = re.compile(r"80276\d{10}")
VNR = re.compile(r"276\d{16}")


class Operation(StrEnum):
    """What a list does to what the registry has."""

    REPLACE = "replace"
    APPEND = "append"
    DELETE = "delete"


OPERATION_WORDS = {
    Operation.REPLACE: "Full report: replaces everything",
    Operation.APPEND: "Supplement: adds these people",
    Operation.DELETE: "Deletion: removes these people",
}


@dataclass(frozen=True, order=True)
class Entry:
    """One person's attendance as it is reported. Points are the event's own, never ours."""

    efn: str
    attended_on: date
    has_passed_test: bool = False


@dataclass(frozen=True)
class Batch:
    """A list with what it does."""

    operation: Operation
    entries: tuple[Entry, ...]


def is_efn(text: str) -> bool:
    """True for 15 digits of a physician in Germany whose last one checks the others."""
    return EFN.fullmatch(text) is not None and _checks(text)


def is_vnr(text: str) -> bool:
    """True for the 19 digits of an event."""
    return VNR.fullmatch(text) is not None and _checks(text)


def held_after(sent: Iterable[Batch]) -> dict[str, Entry]:
    """What the registry has after these lists, in the order in which they were sent, by EFN."""
    held: dict[str, Entry] = {}
    for batch in sent:
        known = {entry.efn: entry for entry in batch.entries}
        if batch.operation is Operation.REPLACE:
            held = known
        elif batch.operation is Operation.APPEND:
            held |= known
        else:
            held = {efn: entry for efn, entry in held.items() if efn not in known}
    return held


def difference(sent: Sequence[Batch], now: Iterable[Entry]) -> tuple[Batch, ...]:
    """What has to be sent so that the registry has these people: the first time all of them.

    Later whoever is new or different, and whoever is no longer on the list. Nothing to send is
    no list.
    """
    wanted = {entry.efn: entry for entry in sorted(now)}
    if not sent:
        return (Batch(Operation.REPLACE, tuple(wanted.values())),) if wanted else ()
    held = held_after(sent)
    added = tuple(entry for efn, entry in wanted.items() if held.get(efn) != entry)
    gone = tuple(entry for efn, entry in sorted(held.items()) if efn not in wanted)
    batches = ((Operation.APPEND, added), (Operation.DELETE, gone))
    return tuple(Batch(operation, entries) for operation, entries in batches if entries)


def _checks(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
