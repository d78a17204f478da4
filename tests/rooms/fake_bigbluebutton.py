"""A BigBlueButton of our own: checks every checksum by itself, as the documentation says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1, sha256, sha384, sha512
from urllib.parse import parse_qs, urlencode

from tests.rooms.listening import Asked, ListeningServer, Reply

SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
HASHES = {40: sha1, 64: sha256, 96: sha384, 128: sha512}
CHECKSUM = re.compile(r"&?checksum=([0-9a-f]+)$")


def is_signed(call: str, query: str, secret: str = SECRET) -> bool:
    """Our own reading of the specification: the checksum is cut off, the rest is hashed as is."""
    found = CHECKSUM.search(query)
    if found is None or len(found[1]) not in HASHES:
        return False
    rest = query[: found.start()]
    return HASHES[len(found[1])]((call + rest + secret).encode()).hexdigest() == found[1]


def xml(**said: str) -> bytes:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return f"<response>{inner}</response>".encode()


def hook_body(*events: str, domain: str = "bbb.example") -> bytes:
    """As bbb-webhooks writes it: a form, its keys in alphabetical order."""
    return urlencode(
        {"domain": domain, "event": f"[{','.join(events)}]", "timestamp": "1795713300000"}
    ).encode()


def hook_checksum(address: str, body: bytes, secret: str = SECRET) -> str:
    whole = address.encode() + body + secret.encode()
    return sha1(whole, usedforsecurity=False).hexdigest()


@dataclass
class Meeting:
    parameters: Mapping[str, str]
    create_time: int
    attendees: dict[str, str] = field(default_factory=dict)
    was_joined: bool = False


class FakeBigBlueButton(ListeningServer):
    """Meetings, hooks and recordings, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.meetings: dict[str, Meeting] = {}
        self.hooks: dict[str, str] = {}
        self.recordings: list[str] = []
        self.deleted: list[str] = []
        self.video = b""
        self.has_webhooks = True
        self.api = f"{self.url}/bigbluebutton/"
        self._clock = 1_795_713_000_000

    def calls(self, name: str) -> list[Mapping[str, str]]:
        return [
            {key: values[0] for key, values in parse_qs(asked.query).items()}
            for asked in self.asked
            if asked.path == f"/bigbluebutton/api/{name}"
        ]

    def answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/playback/video/"):
            return Reply(body=self.video)
        call = asked.path.removeprefix("/bigbluebutton/api/")
        if not is_signed(call, asked.query):
            return self._no("checksumError", "You did not pass the checksum security check")
        said = {key: values[0] for key, values in parse_qs(asked.query).items()}
        match call:
            case "create":
                return self._create(said)
            case "join":
                return self._join(said)
            case "getMeetingInfo":
                return self._info(said["meetingID"])
            case "end":
                return self._end(said)
            case "getRecordings":
                listed = "".join(self.recordings)
                return Reply(body=xml(returncode="SUCCESS", recordings=listed))
            case "deleteRecordings":
                self.deleted.append(said["recordID"])
                self.recordings = [one for one in self.recordings if said["recordID"] not in one]
                return Reply(body=xml(returncode="SUCCESS", deleted="true"))
            case "hooks/create" if self.has_webhooks:
                self.hooks[said["meetingID"]] = said["callbackURL"]
                return Reply(body=xml(returncode="SUCCESS", hookID="1"))
        return Reply(404, b"not found")

    def record(
        self,
        record_id: str,
        *,
        state: str = "published",
        seconds: int = 60,
        form: str = "video",
    ) -> None:
        url = f"{self.url}/playback/{form}/{record_id}/"
        self.recordings.append(
            f"<recording><recordID>{record_id}</recordID><state>{state}</state>"
            f"<startTime>1000</startTime><endTime>{1000 + seconds * 1000}</endTime>"
            f"<playback><format><type>{form}</type><url>{url}</url></format></playback>"
            "</recording>"
        )

    def forget(self, meeting_id: str) -> None:
        del self.meetings[meeting_id]

    def _create(self, said: Mapping[str, str]) -> Reply:
        if (meeting := self.meetings.get(said["meetingID"])) is None:
            self._clock += 1
            meeting = self.meetings[said["meetingID"]] = Meeting(said, self._clock)
        return Reply(
            body=xml(
                returncode="SUCCESS",
                meetingID=said["meetingID"],
                internalMeetingID=f"{said['meetingID']}-internal",
                createTime=str(meeting.create_time),
            )
        )

    def _join(self, said: Mapping[str, str]) -> Reply:
        meeting = self.meetings.get(said["meetingID"])
        if meeting is None or said["createTime"] != str(meeting.create_time):
            return self._no("mismatchCreateTimeParam", "The meeting is another one")
        if said["role"] not in ("VIEWER", "MODERATOR"):
            return self._no("invalidRole", "no such role")
        meeting.attendees[said["userID"]] = said["fullName"]
        meeting.was_joined = True
        return Reply(body=b"<html>in the room</html>")

    def _info(self, meeting_id: str) -> Reply:
        meeting = self.meetings.get(meeting_id)
        if meeting is None:
            return self._no("notFound", "We could not find a meeting with that meeting ID")
        people = "".join(
            f"<attendee><userID>{user}</userID><fullName>{name}</fullName></attendee>"
            for user, name in meeting.attendees.items()
        )
        return Reply(
            body=xml(
                returncode="SUCCESS",
                hasUserJoined=str(meeting.was_joined).lower(),
                hasBeenForciblyEnded="false",
                endTime="0",
                attendees=people,
            )
        )

    def _end(self, said: Mapping[str, str]) -> Reply:
        meeting = self.meetings.pop(said["meetingID"], None)
        if meeting is None:
            return self._no("notFound", "no such meeting")
        if said.get("password") != meeting.parameters["moderatorPW"]:
            return self._no("invalidPassword", "wrong")
        return Reply(body=xml(returncode="SUCCESS"))

    def _no(self, key: str, message: str) -> Reply:
        return Reply(body=xml(returncode="FAILED", messageKey=key, message=message))
