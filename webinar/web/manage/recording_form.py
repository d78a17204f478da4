"""What the forms of the recording desk have in common: the recording, the times that were seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from webinar.domain.edit import Kept, clock, kept_of, read_clock
from webinar.domain.errors import DomainError, NotFound
from webinar.media.shelf import MediaShelf
from webinar.models import Recording, WebinarSession
from webinar.services import recordings, sessions
from webinar.services.recording_edits import KeptChanged
from webinar.tools import media_shelf
from webinar.web.guards import csrf

FORM_BYTES = 64 * 1024  # what stands around a file on its way


class NoFile(DomainError):
    """No file came, or too large a one."""


@dataclass(frozen=True)
class Refused:
    """A form that was not taken: the sentence by its field, and what was typed into it."""

    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    chapters: tuple[tuple[str, str], ...] = ()
    """Times and titles that were typed."""

    def value(self, name: str, otherwise: str = "") -> str:
        """What stands in a field."""
        return self.typed.get(name, otherwise)

    def error(self, name: str) -> str:
        """What is wrong with a field."""
        return self.errors.get(name, "")


def session_of(public_id: str) -> WebinarSession:
    """The session of the address; 404 without one."""
    return sessions.by_public_id(g.db, public_id)


def recording_of(session: WebinarSession) -> Recording:
    """Its recording; raises NotFound."""
    recording = recordings.for_session(g.db, session.id)
    if recording is None:
        raise NotFound("There is no recording of this session yet.")
    return recording


def shelf() -> MediaShelf:
    """The installation's media."""
    return media_shelf(current_app.extensions["config"])


def kept_seen() -> Kept:
    """The spans that were shown when the form was drawn; raises KeptChanged for nonsense."""
    try:
        kept = kept_of(json.loads(request.form.get("kept", "")))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise KeptChanged from None
    if kept is None:
        raise KeptChanged
    return kept


def typed_ms(typed: str, was_ms: int | None = None) -> int:
    """The time that was typed; the exact one from before if it was left as it stood."""
    if was_ms is not None and typed.strip() == clock(was_ms):
        return was_ms
    return read_clock(typed)


def typed_form() -> dict[str, str]:
    """What was typed; nothing where the form was too large to be read."""
    try:
        return dict(request.form.items())
    except RequestEntityTooLarge:
        return {}


def typed_chapters() -> tuple[tuple[str, str], ...]:
    """Times and titles as they stand in the form, without its empty rows."""
    try:
        rows = zip(request.form.getlist("time"), request.form.getlist("title"), strict=False)
    except RequestEntityTooLarge:
        return ()
    return tuple((time, title) for time, title in rows if time.strip() or title.strip())


def file_of(name: str, *, largest: int) -> bytes:
    """The one file of the form on its way; raises NoFile, and CSRFError for another page's form.

    The view is exempt from the check at the door, which would read the form under a smaller bound.
    """
    files = files_of(name, largest=largest)
    if not files:
        raise NoFile("Choose a file first.")
    return files[0]


def files_of(name: str, *, largest: int) -> list[bytes]:
    """All files of this field; raises NoFile, CSRFError."""
    request.max_content_length = largest + FORM_BYTES
    try:
        if current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()
        read = []
        for sent in request.files.getlist(name):
            read.append(sent.read())
            sent.close()
        return [data for data in read if data]
    except RequestEntityTooLarge as too_large:
        raise NoFile(
            f"This is more than {largest // (1024 * 1024)} MB. Choose a smaller file."
        ) from too_large
