"""Passwords: hashed with argon2id, checked a few at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webinar.domain.errors import DomainError

# OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane; about 20 ms of CPU.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

IN_FLIGHT = 4
# In the rush before a session a short wait is kinder than a refusal.
LONGEST_WAIT_SECONDS = 0.5
_slots = threading.BoundedSemaphore(IN_FLIGHT)


class Busy(DomainError):
    """Too many passwords are being checked at this moment."""

    status = 503


def hash_of(password: str) -> str:
    """The argon2id hash to store; raises Busy."""
    with slot():
        return _hasher.hash(password)


def matches(stored_hash: str | None, password: str) -> bool:
    """True if the password is the stored one; raises Busy.

    Costs the same work when there is no hash: an answer that comes sooner would tell.
    """
    known = stored_hash is not None
    with slot():
        try:
            return _hasher.verify(stored_hash or _hash_of_nobody(), password) and known
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def slot() -> Iterator[None]:
    """One of the few places in which the work may be done; raises Busy if none comes free."""
    if not _slots.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Busy("Many people are signing in right now. Wait a few seconds, then try again.")
    try:
        yield
    finally:
        _slots.release()


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("the password of nobody")
