from contextlib import ExitStack

import pytest

from webinar.services import passwords
from webinar.services.passwords import Busy


def test_a_password_matches_its_own_hash_only() -> None:
    stored = passwords.hash_of("a long enough password")

    assert passwords.matches(stored, "a long enough password")
    assert not passwords.matches(stored, "a long enough passworD")


def test_the_hash_is_argon2id_with_the_chosen_work() -> None:
    assert passwords.hash_of("a long enough password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_nobodys_password_matches_nothing() -> None:
    assert not passwords.matches(None, "the password of nobody")


def test_a_broken_hash_matches_nothing() -> None:
    assert not passwords.matches("not a hash", "a long enough password")


def test_more_than_a_few_at_a_time_are_told_to_come_back() -> None:
    with ExitStack() as busy:
        for _ in range(passwords.IN_FLIGHT):
            busy.enter_context(passwords.slot())

        with pytest.raises(Busy) as refused:
            passwords.hash_of("a long enough password")

    assert refused.value.status == 503
    assert passwords.matches(passwords.hash_of("free again, free"), "free again, free")
