"""What BigBlueButton reports: events signed by checksum, "recording ready" signed as a JWT."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

import jwt

from webinar.domain.rooms import (
    Heard,
    HookCall,
    HookRefused,
    HookUnreadable,
    RoomEvent,
    RoomEventKind,
)

# By the length of what was sent, as the server itself tells them apart.
ALGORITHMS = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
KINDS = {
    "meeting-created": RoomEventKind.STARTED,
    "meeting-ended": RoomEventKind.ENDED,
    "user-joined": RoomEventKind.JOINED,
    "user-left": RoomEventKind.LEFT,
}


def heard(call: HookCall, secret: str, *, now: datetime) -> Heard:
    """The events of a request that carries one of the two signatures."""
    digest = hashlib.sha256(call.address.encode() + b"\n" + call.body).hexdigest()
    if "checksum" in call.query:
        _ensure_checksum(call, secret)
        return Heard(digest=digest, kind="events", events=tuple(_events(_fields(call.body))))
    signed = _fields(call.body).get("signed_parameters", "")
    if not signed:
        raise HookRefused("This request is not signed.")
    return Heard(digest=digest, kind="recording ready", events=(_ready(signed, secret, now),))


def _ensure_checksum(call: HookCall, secret: str) -> None:
    sent = call.query["checksum"].lower()
    algorithm = ALGORITHMS.get(len(sent))
    if algorithm is None or not sent.isascii():
        raise HookRefused("The checksum is wrong.")
    # Over the address as we gave it, the body byte by byte, and the secret.
    whole = call.address.encode() + call.body + secret.encode()
    if not hmac.compare_digest(hashlib.new(algorithm, whole).hexdigest(), sent):
        raise HookRefused("The checksum is wrong.")


def _ready(signed: str, secret: str, now: datetime) -> RoomEvent:
    try:
        claims = jwt.decode(signed, secret, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HookRefused("The signature of the recording is wrong.") from None
    return RoomEvent(
        kind=RoomEventKind.RECORDED, remote_room=_text(claims.get("meeting_id")), at=now
    )


def _fields(body: bytes) -> dict[str, str]:
    try:
        found = parse_qs(body.decode("utf-8"), max_num_fields=20)
    except ValueError:
        raise HookUnreadable("The body is no form.") from None
    return {name: values[0] for name, values in found.items()}


def _events(fields: Mapping[str, str]) -> Iterator[RoomEvent]:
    try:
        sent = json.loads(fields.get("event", ""))
    except (ValueError, RecursionError):
        raise HookUnreadable("The events are no JSON.") from None
    for one in sent if isinstance(sent, list) else [sent]:
        data = _mapping(_mapping(one).get("data"))
        kind = KINDS.get(_text(data.get("id")))
        if kind is None:
            continue
        attributes = _mapping(data.get("attributes"))
        user = _mapping(attributes.get("user"))
        yield RoomEvent(
            kind=kind,
            remote_room=_text(_mapping(attributes.get("meeting")).get("external-meeting-id")),
            at=_instant(_mapping(data.get("event")).get("ts")),
            person=_text(user.get("external-user-id")),
            connection=_text(user.get("internal-user-id")),
        )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:120] if isinstance(value, str) else ""


def _instant(milliseconds: object) -> datetime:
    """Milliseconds since 1970, as the server counts them."""
    if not isinstance(milliseconds, int) or not 0 < milliseconds < 10**13:
        raise HookUnreadable("An event says no time.")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
