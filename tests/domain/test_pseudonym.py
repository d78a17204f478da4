"""Pseudonyms: the same person is the same word, for one reader, and tells nobody who it is."""

import re

from webinar.domain.pseudonym import key_of, pseudonym

KEY = key_of(b"a secret", "auditor door 1")


def test_the_same_person_has_the_same_pseudonym() -> None:
    assert pseudonym(KEY, 7) == pseudonym(KEY, 7)


def test_it_can_be_read_out() -> None:
    assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}", pseudonym(KEY, 7))


def test_ten_thousand_people_have_ten_thousand_pseudonyms() -> None:
    assert len({pseudonym(KEY, person) for person in range(10_000)}) == 10_000


def test_two_readers_cannot_lay_their_lists_side_by_side() -> None:
    other = key_of(b"a secret", "auditor door 2")

    assert not {pseudonym(KEY, one) for one in range(500)} & {
        pseudonym(other, one) for one in range(500)
    }
