"""What Zoom reports (developers.zoom.us, webhooks): signed with the time of sending.

The signature is `v0=` and the HMAC-SHA256 of `v0:<time>:<body as it came>` under the secret token.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from webinar.domain.rooms import (
    Heard,
    HookCall,
    HookRefused,
    HookUnreadable,
    RoomEvent,
    RoomEventKind,
)

# Older, or further ahead of our clock, is not believed.
MOST_SECONDS = 300
VALIDATION = "endpoint.url_validation"
KINDS = {
    "webinar.started": RoomEventKind.STARTED,
    "webinar.ended": RoomEventKind.ENDED,
    "webinar.participant_joined": RoomEventKind.JOINED,
    "webinar.participant_left": RoomEventKind.LEFT,
    "recording.completed": RoomEventKind.RECORDED,
}


def heard(call: HookCall, secret: str, *, now: datetime) -> Heard:
    """The event of a request that is signed and fresh."""
    _ensure_signed(call, secret, now)
    # The same report sent again has another time in its header, but the same body.
    digest = hashlib.sha256(b"zoom\n" + call.body).hexdigest()
    try:
        sent = _mapping(json.loads(call.body))
    except (ValueError, RecursionError):
        raise HookUnreadable("The body is no JSON.") from None
    name = _text(sent.get("event"))
    payload = _mapping(sent.get("payload"))
    if name == VALIDATION:
        token = _text(payload.get("plainToken"))
        return Heard(
            digest=digest,
            kind=name,
            answer={"plainToken": token, "encryptedToken": _hmac(secret, token.encode())},
        )
    if name not in KINDS:
        return Heard(digest=digest, kind=name[:80])
    return Heard(digest=digest, kind=name, events=(_event(KINDS[name], sent, payload),))


def _ensure_signed(call: HookCall, secret: str, now: datetime) -> None:
    signature = call.headers.get("x-zm-signature", "")
    sent_at = call.headers.get("x-zm-request-timestamp", "")
    if not signature or not sent_at:
        raise HookRefused("This request is not signed.")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        raise HookRefused("The time of this request is no time.")
    if abs(now.timestamp() - int(sent_at)) > MOST_SECONDS:
        raise HookRefused("This request is too old, or from the future.")
    wanted = "v0=" + _hmac(secret, f"v0:{sent_at}:".encode() + call.body)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise HookRefused("The signature is wrong.")


def _event(
    kind: RoomEventKind, sent: Mapping[str, object], payload: Mapping[str, object]
) -> RoomEvent:
    room = _mapping(payload.get("object"))
    person = _mapping(room.get("participant"))
    at = {
        RoomEventKind.JOINED: person.get("join_time"),
        RoomEventKind.LEFT: person.get("leave_time"),
    }.get(kind)
    return RoomEvent(
        kind=kind,
        remote_room=str(room.get("id", ""))[:120],
        at=instant(at) if at else _milliseconds(sent.get("event_ts")),
        # Only what we gave out ourselves: names and addresses belong to others as well.
        person=_text(person.get("registrant_id")),
        # Counted anew in each run of the same webinar.
        connection=f"{_text(room.get('uuid'))}/{person.get('user_id', '')}"[:100],
    )


def instant(value: object) -> datetime:
    """A time as Zoom writes it, `2026-11-26T17:15:02Z`; raises HookUnreadable."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise HookUnreadable("An event says no time.")
    return at.astimezone(UTC)


def _milliseconds(value: object) -> datetime:
    if not isinstance(value, int) or not 0 < value < 10**13:
        raise HookUnreadable("An event says no time.")
    return datetime.fromtimestamp(value / 1000, UTC)


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:120] if isinstance(value, str) else ""
