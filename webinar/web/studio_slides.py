"""Slides in the studio: what the faculty of the session sent in, as pictures."""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, g, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from config import Config
from webinar.domain.errors import NotFound
from webinar.domain.faculty import FileKind
from webinar.media.faculty_files import PDF
from webinar.media.slide_pages import SlidePages
from webinar.models import FacultyFile, FacultyMember, WebinarSession
from webinar.services import broadcasts, sessions
from webinar.web.access import signed_in
from webinar.web.faculty_files import files

bp = Blueprint("studio_slides", __name__, url_prefix="/studio/<public_id>/slides")


@dataclass(frozen=True)
class Deck:
    """Slides somebody of the faculty sent in."""

    file_id: int
    filename: str
    by: str
    can_be_shown: bool


def decks(session: WebinarSession) -> list[Deck]:
    """All slides of a session's faculty."""
    rows = g.db.execute(
        select(FacultyFile, FacultyMember.name)
        .join(FacultyMember, FacultyMember.id == FacultyFile.faculty_id)
        .where(FacultyMember.session_id == session.id, FacultyFile.kind == FileKind.SLIDES.value)
        .order_by(FacultyFile.id)
    )
    return [Deck(file.id, file.filename, name, file.media_type == PDF) for file, name in rows]


@bp.post("/<int(max=2147483647):file_id>")
@signed_in
def prepare(public_id: str, file_id: int) -> ResponseReturnValue:
    """Make pictures of the slides, and say where they are."""
    file = _file(public_id, file_id)
    # Drawing takes seconds: nobody waits for the write lock meanwhile.
    g.db.commit()
    count = _pages().make(files().path(file.storage_key), file.sha256)
    return {
        "pages": [
            url_for("studio_slides.page", public_id=public_id, file_id=file_id, number=number)
            for number in range(1, count + 1)
        ]
    }


@bp.get("/<int(max=2147483647):file_id>/<int(max=9999):number>.png")
@signed_in
def page(public_id: str, file_id: int, number: int) -> ResponseReturnValue:
    """One slide, for who may broadcast here."""
    file = _file(public_id, file_id)
    return Response(
        _pages().page(file.sha256, number),
        headers={"Cache-Control": "private, max-age=3600"},
        content_type="image/png",
    )


def _file(public_id: str, file_id: int) -> FacultyFile:
    session = sessions.by_public_id(g.db, public_id)
    broadcasts.ensure_may_broadcast(g.db, session, current_user)
    file: FacultyFile | None = g.db.scalar(
        select(FacultyFile)
        .join(FacultyMember, FacultyMember.id == FacultyFile.faculty_id)
        .where(
            FacultyFile.id == file_id,
            FacultyFile.kind == FileKind.SLIDES.value,
            FacultyFile.media_type == PDF,
            FacultyMember.session_id == session.id,
        )
    )
    if file is None or not files().exists(file.storage_key):
        raise NotFound("There are no such slides. Reload this page to see what is there.")
    return file


def _pages() -> SlidePages:
    config: Config = current_app.extensions["config"]
    return SlidePages(config.DATA_DIR.resolve())
