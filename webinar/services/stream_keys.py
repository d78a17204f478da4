"""Ways in for programs such as OBS: made, shown once, checked, revoked; who sends by them.

The secret of an RTMP key is random and only its hash is kept. The passphrase of an SRT listener
has to be known to the listener each time it starts, so it is derived from a random nonce and the
installation's own secret: the database alone does not give it away.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotAllowed, NotFound
from webinar.domain.session import SessionStatus
from webinar.domain.streaming import Source
from webinar.models import Broadcast, BroadcastTake, StreamKey, User, WebinarSession
from webinar.services import audit, broadcasts, links

# A way in that nobody used closes this long after the announced end.
AFTER_END = timedelta(minutes=30)
# A connection that was not heard of for so long is gone, whatever its last word was.
SILENT = timedelta(seconds=15)
PASSPHRASE_LETTERS = 32  # SRT takes 10 to 79


class NoPortFree(Conflict):
    """Every SRT port listens for another session."""


class KeyRefused(NotAllowed):
    """No such key, a wrong secret, a revoked one, or not its hour; a stranger learns no more."""


@dataclass(frozen=True)
class NewKey:
    """A key just made, with the secret that is shown this once."""

    key: StreamKey
    secret: str


def make(
    db: DbSession,
    session_id: int,
    source: Source,
    *,
    ports: Sequence[int],
    wrapping_secret: str,
    user_id: int,
    now: datetime,
) -> NewKey:
    """A new way in; the one before it of the same kind ends. Raises NoPortFree, Conflict."""
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    if session.status not in (SessionStatus.PUBLISHED, SessionStatus.LIVE):
        raise Conflict("A way in for OBS can be made for a session that is published or live.")
    for key in _living(db, session_id, source):
        _end(db, key, user_id=user_id, now=now)
    db.flush()
    nonce = secrets.token_hex(16)
    is_srt = source is Source.SRT
    secret = passphrase(nonce, wrapping_secret) if is_srt else links.new_token()
    key = StreamKey(
        session_id=session_id,
        source=source,
        name=secrets.token_hex(8),
        secret_hash=links.hash_of(secret),
        nonce=nonce if is_srt else "",
        port=_free_port(db, ports, now=now) if is_srt else None,
        made_by_id=user_id,
        made_at=now,
    )
    db.add(key)
    db.flush()
    audit.write(
        db,
        actor_id=user_id,
        action=f"{source} key made",
        subject=f"session {session_id}",
        after={"key": key.id},
        now=now,
    )
    return NewKey(key, secret)


def revoke(db: DbSession, key_id: int, session_id: int, *, user_id: int, now: datetime) -> None:
    """End a way in: who sends by it is cut off. Twice is once; raises NotFound."""
    _end(db, of_session(db, key_id, session_id), user_id=user_id, now=now)


def of_session(db: DbSession, key_id: int, session_id: int) -> StreamKey:
    """The key, if it is this session's; raises NotFound."""
    key = db.get(StreamKey, key_id, populate_existing=True)
    if key is None or key.session_id != session_id:
        raise NotFound("There is no such way in.")
    return key


def listed(db: DbSession, session_id: int) -> list[StreamKey]:
    """The ways in that are not revoked, the oldest first."""
    return list(
        db.scalars(
            select(StreamKey)
            .where(StreamKey.session_id == session_id, StreamKey.revoked_at.is_(None))
            .order_by(StreamKey.id)
        )
    )


def passphrase(nonce: str, wrapping_secret: str) -> str:
    """What the SRT listener and the speaker's program share."""
    digest = hmac.new(wrapping_secret.encode(), f"srt {nonce}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:PASSPHRASE_LETTERS]


def admit(db: DbSession, name: str, secret: str, *, client_id: str, now: datetime) -> StreamKey:
    """Somebody begins to send by RTMP under this name; raises KeyRefused, Conflict.

    `client_id` is the RTMP server's number of the connection: a second one at the same time is
    refused, so that its end is never taken for the end of the first.
    """
    key = _checked(db, name, secret, now=now)
    if is_connected(key, now=now) and key.client_id != client_id:
        raise Conflict("Another program sends with this key already.")
    key.client_id = client_id
    key.connected_at = key.last_seen_at = now
    key.problem = None
    return key


def still_admitted(db: DbSession, name: str, secret: str, *, client_id: str, now: datetime) -> None:
    """Somebody goes on sending by RTMP; raises KeyRefused once they may not.

    A receiver that died took the connection for ended: it is not, as long as this is asked.
    """
    key = _checked(db, name, secret, now=now)
    if key.connected_at is None:
        key.client_id, key.connected_at = client_id, now
    key.last_seen_at = now


def gone(db: DbSession, name: str, secret: str, *, client_id: str) -> None:
    """The RTMP connection of this number ended; another number's end means nothing.

    Nor does it when whoever says so does not know the secret: numbers can be guessed.
    """
    key = db.scalar(select(StreamKey).where(StreamKey.name == name))
    if key is None or not hmac.compare_digest(key.secret_hash, links.hash_of(secret)):
        return
    if key.client_id == client_id:
        disconnected(key)


def disconnected(key: StreamKey) -> None:
    """Nobody sends by this key now."""
    key.connected_at = key.client_id = key.kilobits = None


def is_connected(key: StreamKey, *, now: datetime) -> bool:
    """True while a program sends by this key, on air or not."""
    return (
        key.connected_at is not None
        and key.last_seen_at is not None
        and key.last_seen_at > now - SILENT
    )


def without_receiver(db: DbSession, *, now: datetime) -> list[int]:
    """Ids of keys that somebody has to listen for, or to fetch from, and nobody does."""
    has_something = (StreamKey.source == Source.SRT) | StreamKey.connected_at.is_not(None)
    found = db.scalars(
        select(StreamKey)
        .join(WebinarSession, WebinarSession.id == StreamKey.session_id)
        .where(
            has_something,
            _is_open(now),
            StreamKey.lease_until.is_(None) | (StreamKey.lease_until < now),
        )
        .order_by(StreamKey.id)
    )
    return [key.id for key in found if _maker_may_send(db, key)]


def is_open(db: DbSession, key_id: int, *, now: datetime) -> bool:
    """True while this way in may be used: not revoked, its session's hour, its maker's part."""
    key = db.scalar(
        select(StreamKey)
        .join(WebinarSession, WebinarSession.id == StreamKey.session_id)
        .where(StreamKey.id == key_id, _is_open(now))
    )
    return key is not None and _maker_may_send(db, key)


def take_for(
    db: DbSession,
    key: StreamKey,
    *,
    connection: str,
    is_empty: Callable[[str, int], bool],
    now: datetime,
) -> BroadcastTake | None:
    """The take that this connection's bytes belong to; None while they are nobody's to see.

    A program is on air by itself if nothing was sent before, or if it was the last to send;
    otherwise somebody presses "Send from OBS" (`use`), which opens a take for it. That one is
    adopted while it is empty (`is_empty` tells of a broadcast's public id and a take's number);
    every connection's media begins anew, and so does its take.
    """
    broadcast = db.scalar(select(Broadcast).where(Broadcast.session_id == key.session_id))
    if broadcast is None or broadcast.stopped_at is not None:
        return None
    last = broadcasts.last_take(db, broadcast.id)
    mine = last is not None and (last.client_key or "").startswith(f"{_studio(key)}-")
    if last is not None and not mine:
        return None
    if last is not None and last.closed_at is None:
        is_ours = last.client_key == _client_key(key, connection)
        if is_ours or is_empty(broadcast.public_id, last.number):
            return last
    return broadcasts.open_take(
        db,
        broadcast.id,
        user_id=key.made_by_id,
        source=key.source,
        client_key=_client_key(key, connection),
        now=now,
    )


def use(db: DbSession, key: StreamKey, *, user_id: int, now: datetime) -> BroadcastTake:
    """Let this program send from now on, whoever does now. Raises NotOnAir, Conflict."""
    broadcast = db.scalar(select(Broadcast).where(Broadcast.session_id == key.session_id))
    if broadcast is None:
        raise broadcasts.NotOnAir("This session is not live. Press Go live first.")
    if not is_connected(key, now=now):
        raise Conflict("Nothing comes in. Start streaming in OBS first.")
    audit.write(
        db,
        actor_id=user_id,
        action=f"{key.source} sends",
        subject=f"session {key.session_id}",
        now=now,
    )
    return broadcasts.open_take(
        db,
        broadcast.id,
        user_id=key.made_by_id,
        source=key.source,
        client_key=_client_key(key, secrets.token_hex(6)),
        take_over=True,
        now=now,
    )


def is_sending(db: DbSession, key: StreamKey, *, now: datetime) -> bool:
    """True while people see what this program sends."""
    broadcast = db.scalar(select(Broadcast).where(Broadcast.session_id == key.session_id))
    if broadcast is None:
        return False
    last = broadcasts.last_take(db, broadcast.id)
    return (
        last is not None
        and (last.client_key or "").startswith(f"{_studio(key)}-")
        and broadcasts.sends(last, now=now)
    )


def _checked(db: DbSession, name: str, secret: str, *, now: datetime) -> StreamKey:
    key = db.scalar(
        select(StreamKey)
        .join(WebinarSession, WebinarSession.id == StreamKey.session_id)
        .where(StreamKey.name == name, StreamKey.source == Source.RTMP, _is_open(now))
    )
    known = key.secret_hash if key is not None else links.hash_of("")
    if not hmac.compare_digest(known, links.hash_of(secret)) or key is None:
        raise KeyRefused("This stream key is not, or no longer, valid.")
    if not _maker_may_send(db, key):
        raise KeyRefused("This stream key is not, or no longer, valid.")
    return key


def _maker_may_send(db: DbSession, key: StreamKey) -> bool:
    """False once who made it, and keeps its secret, may not broadcast in this session any more."""
    maker = db.get_one(User, key.made_by_id)
    session = db.get_one(WebinarSession, key.session_id)
    return maker.erased_at is None and broadcasts.may_broadcast(db, session, maker)


def _is_open(now: datetime) -> ColumnElement[bool]:
    earliest = now + timedelta(minutes=broadcasts.EARLIEST_MINUTES)
    to_come = and_(
        WebinarSession.status == SessionStatus.PUBLISHED,
        WebinarSession.starts_at <= earliest,
        WebinarSession.ends_at > now - AFTER_END,
    )
    return and_(
        StreamKey.revoked_at.is_(None),
        or_(to_come, WebinarSession.status == SessionStatus.LIVE),
    )


def _living(db: DbSession, session_id: int, source: Source) -> list[StreamKey]:
    return [key for key in listed(db, session_id) if key.source is source]


def _end(db: DbSession, key: StreamKey, *, user_id: int, now: datetime) -> None:
    if key.revoked_at is not None:
        return
    key.revoked_at = now
    disconnected(key)
    audit.write(
        db,
        actor_id=user_id,
        action=f"{key.source} key revoked",
        subject=f"session {key.session_id}",
        after={"key": key.id},
        now=now,
    )


def _free_port(db: DbSession, ports: Sequence[int], *, now: datetime) -> int:
    """A port that no other session needs in the same hours; every key to come counts."""
    taken = set(
        db.scalars(
            select(StreamKey.port)
            .join(WebinarSession, WebinarSession.id == StreamKey.session_id)
            .where(
                StreamKey.revoked_at.is_(None),
                or_(
                    WebinarSession.status == SessionStatus.LIVE,
                    and_(
                        WebinarSession.status == SessionStatus.PUBLISHED,
                        WebinarSession.ends_at > now - AFTER_END,
                    ),
                ),
            )
        )
    )
    for port in ports:
        if port not in taken:
            return port
    raise NoPortFree(
        "Every SRT port is kept for another session. Revoke a way in that nobody needs, send by "
        "RTMP or from the browser, or ask the administrator for more ports."
    )


def _studio(key: StreamKey) -> str:
    return f"stream{key.id}"


def _client_key(key: StreamKey, connection: str) -> str:
    return f"{_studio(key)}-{connection}"
