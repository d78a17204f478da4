"""BigBlueButton, by its published interface (docs.bigbluebutton.org, development/api, 3.0).

Every call is signed: the checksum is the hash of the call's name, its query and the secret.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from webinar.domain.rooms import (
    Entry,
    Heard,
    HookCall,
    KnownRoom,
    MadeRoom,
    RemoteRecording,
    RoomMissing,
    RoomPlan,
    RoomProvider,
    RoomRole,
    RoomTrouble,
    Standing,
    Visit,
    Visitor,
)
from webinar.rooms import bigbluebutton_hooks
from webinar.rooms.bigbluebutton_xml import attendees, recordings, said, succeeded
from webinar.rooms.outgoing import Outgoing

# Viewers watch: no camera, no microphone, no chat, no notes, and nobody sees who else is there.
VIEW_ONLY: Mapping[str, str] = {
    "muteOnStart": "true",
    "allowModsToUnmuteUsers": "false",
    "webcamsOnlyForModerator": "true",
    "lockSettingsDisableCam": "true",
    "lockSettingsDisableMic": "true",
    "lockSettingsDisablePrivateChat": "true",
    "lockSettingsDisablePublicChat": "true",
    "lockSettingsDisableNote": "true",  # servers before 2.4
    "lockSettingsDisableNotes": "true",
    "lockSettingsHideUserList": "true",
    "lockSettingsHideViewersCursor": "true",
    "lockSettingsHideViewersAnnotation": "true",
    "lockSettingsLockOnJoin": "true",
    "lockSettingsLockOnJoinConfigurable": "false",
}
# Our door opens early and people come and go: the room must outlive an empty minute.
EMPTY_MINUTES = 60


class BigBlueButton:
    """One server, by its address (`https://host/bigbluebutton/`) and its shared secret."""

    provider = RoomProvider.BIGBLUEBUTTON
    is_made_ahead = False

    def __init__(self, url: str, secret: str, *, algorithm: str = "sha256") -> None:
        self._api = url.rstrip("/").removesuffix("/api") + "/api/"
        self._secret = secret
        self._algorithm = algorithm
        self._outgoing = Outgoing("BigBlueButton", (self._api,))

    def signed(self, call: str, parameters: Mapping[str, str]) -> str:
        """The whole address of a call."""
        query = urlencode(parameters)
        checksum = hashlib.new(self._algorithm, f"{call}{query}{self._secret}".encode())
        return f"{self._api}{call}?{query}{'&' if query else ''}checksum={checksum.hexdigest()}"

    def create(self, plan: RoomPlan, *, now: datetime) -> MadeRoom:
        """Make the room, view-only, and ask to be told who comes and goes; twice is once."""
        # Older servers want passwords; derived, so that a second call says the same.
        moderator, viewer = (self._password(plan.public_id, role) for role in ("mod", "view"))
        records = "true" if plan.records else "false"
        root = self._call(
            "create",
            {
                "name": plan.title,
                "meetingID": plan.public_id,
                "moderatorPW": moderator,
                "attendeePW": viewer,
                "record": records,
                "autoStartRecording": records,
                "allowStartStopRecording": "false",
                "guestPolicy": "ALWAYS_ACCEPT",  # our door has asked already
                "logoutURL": plan.back_url,
                "meetingExpireIfNoUserJoinedInMinutes": str(EMPTY_MINUTES),
                "meetingExpireWhenLastUserLeftInMinutes": str(EMPTY_MINUTES),
                "meta_endCallbackUrl": f"{plan.hook_url}/ended",
                "meta_bbb-recording-ready-url": plan.hook_url,
                **VIEW_ONLY,
            },
        )
        return MadeRoom(
            remote_id=plan.public_id,
            facts={
                "create_time": said(root, "createTime"),
                "internal_id": said(root, "internalMeetingID"),
                "hook": self._hook(plan),
            },
            secrets={"moderator": moderator, "viewer": viewer},
        )

    def update(self, room: KnownRoom, plan: RoomPlan, *, now: datetime) -> None:
        """It is made when it opens: there is nobody to tell before."""

    def withdraw(self, room: KnownRoom, *, now: datetime) -> None:
        """The same as ending it."""
        self.end(room, now=now)

    def join_url(self, room: KnownRoom, visitor: Visitor, *, now: datetime) -> Entry:
        """Presenters and moderators come as moderators, all others as viewers who are locked."""
        role = "VIEWER" if visitor.role is RoomRole.VIEWER else "MODERATOR"
        parameters = {
            "fullName": visitor.shown_name,
            "meetingID": room.remote_id,
            "role": role,
            "userID": visitor.reference,
            "redirect": "true",
        }
        if created := room.facts.get("create_time"):
            # A link of a room that ended opens no later one of the same name.
            parameters["createTime"] = created
        return Entry(self.signed("join", parameters), visitor.reference, is_kept=False)

    def handle_webhook(self, call: HookCall, *, now: datetime) -> Heard:
        """Events and "recording ready"; see bigbluebutton_hooks."""
        return bigbluebutton_hooks.heard(call, self._secret, now=now)

    def standing(self, room: KnownRoom, *, now: datetime) -> Standing | None:
        """Whether it is there and who is inside; asks to be told of events again."""
        try:
            root = self._call("getMeetingInfo", {"meetingID": room.remote_id})
        except RoomMissing:
            return Standing(is_there=False)
        is_over = said(root, "hasBeenForciblyEnded") == "true" or said(root, "endTime") not in (
            "",
            "0",
        )
        return Standing(
            is_there=not is_over,
            people=attendees(root),
            was_used=said(root, "hasUserJoined") == "true",
        )

    def attendance(self, room: KnownRoom, *, now: datetime) -> tuple[Visit, ...]:
        """The server forgets who was there: events and asking every minute have to do."""
        return ()

    def recordings(self, room: KnownRoom, *, now: datetime) -> tuple[RemoteRecording, ...]:
        """Every recording of the room, in any state."""
        try:
            root = self._call("getRecordings", {"meetingID": room.remote_id, "state": "any"})
        except RoomMissing:
            return ()
        return tuple(recordings(root))

    def download(
        self, recording: RemoteRecording, path: Path, *, alive: Callable[[], None], now: datetime
    ) -> None:
        """The one file of the "video" format, from this server alone."""
        self._outgoing.download(recording.address, path, alive=alive)

    def delete_recording(
        self, room: KnownRoom, recording: RemoteRecording, *, now: datetime
    ) -> None:
        """Its playback address would be outside our window: nothing of it stays."""
        try:
            self._call("deleteRecordings", {"recordID": recording.remote_id})
        except RoomMissing:
            return

    def end(self, room: KnownRoom, *, now: datetime) -> None:
        """Everybody is sent to where they came from."""
        parameters = {"meetingID": room.remote_id}
        if password := room.secrets.get("moderator"):
            parameters["password"] = password
        try:
            self._call("end", parameters)
        except RoomMissing:
            return

    def _hook(self, plan: RoomPlan) -> str:
        """Ask for events; "" if the server has no webhooks: then asking every minute must do."""
        parameters = {"callbackURL": plan.hook_url, "meetingID": plan.public_id}
        try:
            return said(self._call("hooks/create", parameters), "hookID")
        except RoomTrouble:
            return ""

    def _password(self, public_id: str, role: str) -> str:
        whole = f"{self._secret}/{public_id}/{role}".encode()
        return hashlib.sha256(whole).hexdigest()[:32]

    def _call(self, call: str, parameters: Mapping[str, str]) -> Element:
        answer = self._outgoing.ask("GET", self.signed(call, parameters))
        if answer.status >= 400 and not answer.body.lstrip().startswith(b"<"):
            raise RoomTrouble(f"BigBlueButton answered {answer.status}.")
        return succeeded(answer.body)
