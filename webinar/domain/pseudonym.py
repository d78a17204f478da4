"""Names for people whose names are nobody's business: the same person, the same word, per key."""

import hashlib
import hmac

BITS = 48


def key_of(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that two readers cannot lay their lists side by side.

    `secret` is the program's; HMAC-SHA256 (RFC 2104).
    """
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def pseudonym(key: bytes, person_id: int) -> str:
    """`7F3A-91C2-04BD`: nobody without the key learns who it is, or makes one up."""
    digits = hmac.new(key, str(person_id).encode(), hashlib.sha256).hexdigest()[: BITS // 4].upper()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))
