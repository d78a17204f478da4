"""Files of the faculty on their way in and out: taken by content, given back harmless."""

import hashlib
from collections.abc import Callable

from flask import Blueprint, Response, current_app, g, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from webinar.domain.errors import NotFound
from webinar.domain.faculty import FileKind, safe_filename
from webinar.domain.person import FormRefused
from webinar.media.faculty_files import (
    EXTENSIONS,
    JPEG,
    LARGEST_PHOTO,
    LARGEST_SLIDES,
    FacultyFiles,
    NotAPhoto,
    NotSlides,
    faculty_files,
    new_key,
    photo_of,
    slides_type,
)
from webinar.models import FacultyFile, FacultyMember
from webinar.services import faculty, sessions
from webinar.services.faculty import NewFile
from webinar.web.access import public

bp = Blueprint("faculty_files", __name__)

FORM_BYTES = 64 * 1024  # what stands around a file on its way
PHOTO_LASTS_SECONDS = 3600
LARGEST = {FileKind.PHOTO: LARGEST_PHOTO, FileKind.SLIDES: LARGEST_SLIDES}


@bp.get("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>.jpg")
@public
def portrait(public_id: str, member_id: int) -> ResponseReturnValue:
    """The photo of a member of the faculty, once the session is announced."""
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session, or it is not announced yet.")
    answer = photo_answer(file_of(faculty.of_session(session, member_id), FileKind.PHOTO))
    # The reader's cookie is renewed along with it: no cache that people share may keep that.
    answer.headers["Cache-Control"] = f"private, max-age={PHOTO_LASTS_SECONDS}"
    return answer


def files() -> FacultyFiles:
    """The installation's files of the faculty."""
    return faculty_files(current_app.extensions["config"].DATA_DIR)


def photo_answer(file: FacultyFile) -> Response:
    """A picture we drew, and nothing else."""
    answer = Response(files().read(file.storage_key), content_type=JPEG)
    answer.set_etag(file.sha256)
    answer.make_conditional(request)
    return answer


def slides_answer(file: FacultyFile) -> Response:
    """A download: no browser opens what somebody sent as if it were ours."""
    return send_file(
        files().path(file.storage_key),
        mimetype=file.media_type,
        as_attachment=True,
        download_name=file.filename,
        etag=file.sha256,
    )


def file_of(member: FacultyMember, kind: FileKind) -> FacultyFile:
    """What the person sent in; raises NotFound."""
    file = faculty.file_of(faculty.rows_of(member), kind)
    if file is None or not files().exists(file.storage_key):
        raise NotFound("Nothing was sent in yet.")
    return file


def received(kind: FileKind) -> NewFile:
    """Store what the form on its way holds, once it is known for what it should be.

    Its row is not made yet. Raises FormRefused with a sentence for the field.
    """
    request.max_content_length = LARGEST[kind] + FORM_BYTES
    try:
        sent = request.files.get(kind.value)
        data = sent.read() if sent is not None else b""
        if sent is None or not data:
            raise FormRefused({kind.value: "Choose a file first."})
        stored, media_type, filename = PREPARE[kind](data, sent.filename or "")
    except RequestEntityTooLarge as too_large:
        words = f"A file has at most {LARGEST[kind] // (1024 * 1024)} MB. Choose a smaller one."
        raise FormRefused({kind.value: words}) from too_large
    except (NotAPhoto, NotSlides) as refusal:
        raise FormRefused({kind.value: str(refusal)}) from refusal
    file = NewFile(
        filename=filename,
        media_type=media_type,
        size=len(stored),
        sha256=hashlib.sha256(stored).hexdigest(),
        storage_key=new_key(media_type),
    )
    files().put(file.storage_key, stored)
    return file


def _photo(data: bytes, _filename: str) -> tuple[bytes, str, str]:
    return photo_of(data), JPEG, "photo.jpg"


def _slides(data: bytes, filename: str) -> tuple[bytes, str, str]:
    kind = slides_type(data)
    name = safe_filename(filename, extension=EXTENSIONS[kind], otherwise="slides")
    return data, kind, name


PREPARE: dict[FileKind, Callable[[bytes, str], tuple[bytes, str, str]]] = {
    FileKind.PHOTO: _photo,
    FileKind.SLIDES: _slides,
}
