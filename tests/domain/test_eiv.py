"""EIV: check digits of real test numbers, and lists as the difference to what was sent."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.eiv import Batch, Entry, Operation, difference, held_after, is_efn, is_vnr

DAY = date(2026, 11, 26)
# Numbers EIV gives out for its test system: they belong to nobody.
A, B, C = (Entry(efn, DAY) for efn in ("802760020090329", "802760020090337", "802760020090345"))
ENTRIES = st.builds(Entry, st.sampled_from([A.efn, B.efn, C.efn]), st.just(DAY), st.booleans())


def by_efn(entries: list[Entry]) -> list[Entry]:
    return sorted({entry.efn: entry for entry in entries}.values())


@pytest.mark.parametrize("efn", ["802760020090329", "802760020090360", "802760020090758"])
def test_numbers_of_the_test_system_are_right(efn: str) -> None:
    assert is_efn(efn)


@pytest.mark.parametrize(
    "efn",
    ["", "802760020090328", "80276002009032", "8027600200903290", "702760020090329", "80276x"],
)
def test_a_number_with_a_wrong_digit_is_found(efn: str) -> None:
    assert not is_efn(efn)


def test_an_event_has_a_number_of_its_own_kind() -> None:
    assert is_vnr("2760012024200354002")
    assert not is_vnr("2760012024200354003")
    assert not is_vnr("LEE-2026-0815")


def test_the_first_list_replaces_whatever_there_is() -> None:
    assert difference([], [B, A]) == (Batch(Operation.REPLACE, (A, B)),)


def test_nobody_to_report_is_no_list() -> None:
    assert difference([], []) == ()


def test_later_only_what_changed_is_sent() -> None:
    sent = [Batch(Operation.REPLACE, (A, B))]

    assert difference(sent, [A, C]) == (
        Batch(Operation.APPEND, (C,)),
        Batch(Operation.DELETE, (B,)),
    )


def test_a_test_passed_since_is_sent_as_a_supplement() -> None:
    passed = Entry(A.efn, DAY, has_passed_test=True)

    assert difference([Batch(Operation.REPLACE, (A,))], [passed]) == (
        Batch(Operation.APPEND, (passed,)),
    )


@given(st.lists(st.lists(ENTRIES, max_size=4), max_size=6))
def test_whatever_is_sent_the_registry_has_what_we_have(lists: list[list[Entry]]) -> None:
    sent: list[Batch] = []
    for wanted in map(by_efn, lists):
        sent += difference(sent, wanted)

        assert sorted(held_after(sent).values()) == wanted
        assert difference(sent, wanted) == ()
