"""Zoom webinars, by the published interface (developers.zoom.us/docs/api, version 2).

Attendees of a webinar have neither camera nor microphone and do not see one another.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from webinar.domain.rooms import (
    Entry,
    Heard,
    HookCall,
    HookUnreadable,
    KnownRoom,
    MadeRoom,
    RemoteRecording,
    RoomMissing,
    RoomPlan,
    RoomProvider,
    RoomRole,
    RoomTrouble,
    RoomUnwilling,
    Standing,
    Visit,
    Visitor,
)
from webinar.rooms import zoom_hooks
from webinar.rooms.zoom_api import ZoomAccount, ZoomApi, in_path, items, text

SCHEDULED_WEBINAR = 5
PAGE = "300"
# A domain that can never receive mail (RFC 2606): nobody's address is given away.
ADDRESSES_END_WITH = "@participants.invalid"
# What is fetched if there are several files of one run, best first.
PREFERRED = (
    "shared_screen_with_speaker_view",
    "shared_screen_with_gallery_view",
    "active_speaker",
    "shared_screen",
)


class Zoom:
    """One account; the app's owner is the host of every webinar."""

    provider = RoomProvider.ZOOM
    is_made_ahead = True

    def __init__(self, account: ZoomAccount) -> None:
        self._account = account
        self._api = ZoomApi(account)

    def create(self, plan: RoomPlan, *, now: datetime) -> MadeRoom:
        """A webinar with registration by us alone, and no mails from Zoom to anybody."""
        made = self._api.call(
            "POST",
            "/users/me/webinars",
            now=now,
            body={
                "type": SCHEDULED_WEBINAR,
                **_title_and_hour(plan),
                "settings": {
                    "approval_type": 0,  # registered is approved
                    "registration_type": 1,
                    "auto_recording": _recording_to(plan),
                    "allow_multiple_devices": True,
                    "practice_session": True,
                    "panelists_video": True,
                    "show_share_button": False,
                    "on_demand": False,
                    "meeting_authentication": False,
                    "registrants_email_notification": False,
                    "registrants_confirmation_email": False,
                    "panelists_invitation_email_notification": False,
                    "attendees_and_panelists_reminder_email_notification": {"enable": False},
                    "follow_up_attendees_email_notification": {"enable": False},
                    "follow_up_absentees_email_notification": {"enable": False},
                    "question_and_answer": {
                        "enable": True,
                        "answer_questions": "only",
                        "attendees_can_upvote": False,
                        "attendees_can_comment": False,
                    },
                },
            },
        )
        webinar = text(made.get("id"))
        if not webinar:
            raise RoomTrouble("Zoom made a webinar but did not say which.")
        return MadeRoom(remote_id=webinar, facts={"uuid": text(made.get("uuid"))})

    def update(self, room: KnownRoom, plan: RoomPlan, *, now: datetime) -> None:
        """Everybody's personal link stays."""
        path = f"/webinars/{in_path(room.remote_id)}"
        settings = {"auto_recording": _recording_to(plan)}
        body = {**_title_and_hour(plan), "settings": settings}
        self._api.call("PATCH", path, now=now, body=body)

    def withdraw(self, room: KnownRoom, *, now: datetime) -> None:
        """Delete the webinar; Zoom tells nobody of it."""
        path = f"/webinars/{in_path(room.remote_id)}"
        try:
            self._api.call("DELETE", path, now=now)
        except RoomMissing:
            return

    def join_url(self, room: KnownRoom, visitor: Visitor, *, now: datetime) -> Entry:
        """Viewers are registrants, presenters panelists; the moderator starts as the host."""
        if visitor.role is RoomRole.MODERATOR:
            webinar = self._api.call("GET", f"/webinars/{in_path(room.remote_id)}", now=now)
            # Whoever holds it is the host: fetched each time, kept nowhere.
            return Entry(self._way_in(webinar, "start_url"), visitor.reference, is_kept=False)
        if visitor.role is RoomRole.PRESENTER:
            return self._panelist(room, visitor, now)
        first, _, last = visitor.shown_name.partition(" ")
        registered = self._api.call(
            "POST",
            f"/webinars/{in_path(room.remote_id)}/registrants",
            now=now,
            body={"email": _address(visitor), "first_name": first, "last_name": last or "-"},
        )
        person = text(registered.get("registrant_id"))
        if not person:
            raise RoomTrouble("Zoom registered somebody but did not say as whom.")
        return Entry(self._way_in(registered, "join_url"), person, is_kept=True)

    def handle_webhook(self, call: HookCall, *, now: datetime) -> Heard:
        """See zoom_hooks."""
        return zoom_hooks.heard(call, self._account.webhook_secret, now=now)

    def standing(self, room: KnownRoom, *, now: datetime) -> Standing | None:
        """Zoom reports by itself when a webinar starts and ends."""
        return None

    def attendance(self, room: KnownRoom, *, now: datetime) -> tuple[Visit, ...]:
        """The participant report of every run. Who has no registrant id is nobody we know."""
        return tuple(visit for run in self._runs(room, now) for visit in self._report(run, now))

    def recordings(self, room: KnownRoom, *, now: datetime) -> tuple[RemoteRecording, ...]:
        """One for each run that was recorded."""
        found = []
        for run in self._runs(room, now):
            try:
                said = self._api.call("GET", f"/meetings/{in_path(run)}/recordings", now=now)
            except RoomMissing:
                continue
            found.append(_recording(run, items(said, "recording_files")))
        return tuple(found)

    def download(
        self, recording: RemoteRecording, path: Path, *, alive: Callable[[], None], now: datetime
    ) -> None:
        """From Zoom's own hosts, as the account."""
        self._api.download(recording.address, path, alive=alive, now=now)

    def delete_recording(
        self, room: KnownRoom, recording: RemoteRecording, *, now: datetime
    ) -> None:
        """For good, with its chat and sound files; not into the trash."""
        path = f"/meetings/{in_path(recording.remote_id)}/recordings"
        try:
            self._api.call("DELETE", path, now=now, query={"action": "delete"})
        except RoomMissing:
            return

    def end(self, room: KnownRoom, *, now: datetime) -> None:
        """Ended if it runs; it cannot be started again by anybody but the host."""
        path = f"/webinars/{in_path(room.remote_id)}/status"
        try:
            self._api.call("PUT", path, now=now, body={"action": "end"})
        except (RoomMissing, RoomUnwilling):
            return  # it does not run

    def _panelist(self, room: KnownRoom, visitor: Visitor, now: datetime) -> Entry:
        path, address = f"/webinars/{in_path(room.remote_id)}/panelists", _address(visitor)
        person = {"name": visitor.shown_name[:64], "email": address}
        self._api.call("POST", path, now=now, body={"panelists": [person]})
        for one in items(self._api.call("GET", path, now=now), "panelists"):
            if text(one.get("email")) == address:
                return Entry(self._way_in(one, "join_url"), visitor.reference, is_kept=True)
        raise RoomTrouble("Zoom did not take the presenter as a panelist.")

    def _way_in(self, said: Mapping[str, object], name: str) -> str:
        address = text(said.get(name))
        if not address.startswith(("https://", "http://")):
            raise RoomTrouble("Zoom gave no way in.")
        return address

    def _runs(self, room: KnownRoom, now: datetime) -> list[str]:
        """A webinar that was ended and started again has run more than once."""
        path = f"/past_webinars/{in_path(room.remote_id)}/instances"
        said = self._api.call("GET", path, now=now)
        return [run for one in items(said, "webinars") if (run := text(one.get("uuid")))]

    def _report(self, run: str, now: datetime) -> Iterator[Visit]:
        query = {"page_size": PAGE, "include_fields": "registrant_id"}
        path = f"/report/webinars/{in_path(run)}/participants"
        for row in self._api.pages(path, "participants", now=now, query=query):
            joined, left = text(row.get("join_time")), text(row.get("leave_time"))
            whole = "/".join((run, text(row.get("user_id")), text(row.get("id")), joined))
            try:
                yield Visit(
                    person=text(row.get("registrant_id")),
                    joined_at=zoom_hooks.instant(joined),
                    left_at=zoom_hooks.instant(left),
                    remote_event=hashlib.sha256(whole.encode()).hexdigest(),
                )
            except HookUnreadable:
                # Still inside when the report was written: it comes again.
                continue


def _title_and_hour(plan: RoomPlan) -> dict[str, object]:
    minutes = int((plan.ends_at - plan.starts_at).total_seconds() // 60)
    return {
        "topic": plan.title[:200],
        "start_time": f"{plan.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "duration": minutes,
        "timezone": plan.zone,
    }


def _recording_to(plan: RoomPlan) -> str:
    return "cloud" if plan.records else "none"


def _address(visitor: Visitor) -> str:
    return f"{visitor.reference}{ADDRESSES_END_WITH}"


def _recording(run: str, files: list[Mapping[str, object]]) -> RemoteRecording:
    videos = [one for one in files if text(one.get("file_type")).upper() == "MP4"]
    videos.sort(key=lambda one: _rank(text(one.get("recording_type"))))
    best = videos[0] if videos else {}
    try:
        length = zoom_hooks.instant(best.get("recording_end")) - zoom_hooks.instant(
            best.get("recording_start")
        )
        seconds = length.total_seconds()
    except HookUnreadable:
        seconds = 0.0
    return RemoteRecording(
        remote_id=run,
        address=text(best.get("download_url")),
        seconds=max(seconds, 0.0),
        is_ready=all(text(one.get("status")) in ("completed", "") for one in files),
    )


def _rank(kind: str) -> int:
    return PREFERRED.index(kind) if kind in PREFERRED else len(PREFERRED)
