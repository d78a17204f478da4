"""Marks in mails that nobody else can make: whose wish a link changes, which mail came back.

Each is the few bytes it stands for, sealed: it tells a reader nothing, it is the same every time,
and a changed letter makes it worthless. (A synthetic initialisation vector of HMAC-SHA-256, which
also makes the key stream: RFC 5297 in kind.)
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from webinar.domain.mail_wishes import MailTopic

TAG_BYTES = 12
ID_BYTES = 8
TOPIC_BYTES = 24
SECONDS_BYTES = 5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MarkedMail:
    """The delivery a mark stands for. Databases give a number again; its second tells whose."""

    delivery_id: int
    created_at: datetime
    """Whole seconds."""


def stop_token(secret: str, user_id: int, topic: MailTopic) -> str:
    """For the address under which this person says that they want no more of this topic."""
    plain = user_id.to_bytes(ID_BYTES, "big") + topic.value.encode().ljust(TOPIC_BYTES)
    return base64.urlsafe_b64encode(_sealed(secret, b"stop", plain)).decode().rstrip("=")


def read_stop_token(secret: str, token: str) -> tuple[int, MailTopic] | None:
    """The person's id and the topic, or None if it is none of ours."""
    try:
        sealed = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    plain = _opened(secret, b"stop", sealed, ID_BYTES + TOPIC_BYTES)
    if plain is None:
        return None
    topic = plain[ID_BYTES:].decode().rstrip()
    if topic not in {one.value for one in MailTopic}:
        return None
    return int.from_bytes(plain[:ID_BYTES], "big"), MailTopic(topic)


def return_mark(secret: str, delivery_id: int, created_at: datetime) -> str:
    """What a mail carries in its return address alone; survives a change of case.

    Mail servers see it, and no reader of a forwarded mail does: who knows it speaks for one.
    """
    return _mark(secret, b"return", delivery_id, created_at)


def read_return_mark(secret: str, mark: str) -> MarkedMail | None:
    """The mail, or None if the mark is none of ours."""
    return _marked(secret, b"return", mark)


def message_mark(secret: str, delivery_id: int, created_at: datetime) -> str:
    """What a mail carries in its Message-ID: everybody it is forwarded to can read it."""
    return _mark(secret, b"message", delivery_id, created_at)


def read_message_mark(secret: str, mark: str) -> MarkedMail | None:
    """The mail, or None if the mark is none of ours."""
    return _marked(secret, b"message", mark)


def whole_second(moment: datetime) -> datetime:
    """As much of it as a mark holds."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _mark(secret: str, purpose: bytes, delivery_id: int, created_at: datetime) -> str:
    seconds = (created_at - EPOCH) // timedelta(seconds=1)
    plain = delivery_id.to_bytes(ID_BYTES, "big") + seconds.to_bytes(SECONDS_BYTES, "big")
    return base64.b32encode(_sealed(secret, purpose, plain)).decode().lower()


def _marked(secret: str, purpose: bytes, mark: str) -> MarkedMail | None:
    try:
        sealed = base64.b32decode(mark.upper().encode())
    except (binascii.Error, ValueError):
        return None
    plain = _opened(secret, purpose, sealed, ID_BYTES + SECONDS_BYTES)
    if plain is None:
        return None
    return MarkedMail(
        delivery_id=int.from_bytes(plain[:ID_BYTES], "big"),
        created_at=EPOCH + timedelta(seconds=int.from_bytes(plain[ID_BYTES:], "big")),
    )


def _sealed(secret: str, purpose: bytes, plain: bytes) -> bytes:
    tag = _hmac(secret, b"tag " + purpose, plain)[:TAG_BYTES]
    return tag + _mixed(plain, _hmac(secret, b"stream " + purpose, tag))


def _opened(secret: str, purpose: bytes, sealed: bytes, length: int) -> bytes | None:
    if len(sealed) != TAG_BYTES + length:
        return None
    tag = sealed[:TAG_BYTES]
    plain = _mixed(sealed[TAG_BYTES:], _hmac(secret, b"stream " + purpose, tag))
    right = _hmac(secret, b"tag " + purpose, plain)[:TAG_BYTES]
    return plain if hmac.compare_digest(tag, right) else None


def _mixed(text: bytes, stream: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))


def _hmac(secret: str, purpose: bytes, text: bytes) -> bytes:
    # By a copy of what has read the key already: in one go it would let other threads go before.
    begun = _begun(secret, purpose).copy()
    begun.update(text)
    return begun.digest()


@lru_cache(maxsize=16)
def _begun(secret: str, purpose: bytes) -> hmac.HMAC:
    # So that the application's secret serves each purpose as a key of its own.
    key = hmac.digest(secret.encode(), b"mail marks: " + purpose, "sha256")
    return hmac.new(key, None, "sha256")
