"""Where videos arrive, piece by piece, by the tus protocol: pause, lose the network, go on.

Each piece is on the disk before it is counted. While bytes come, nothing of the database is held.
"""

import hashlib
from collections.abc import Iterator

from flask import Response, current_app, g, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import ClientDisconnected

from webinar.domain.access import Action
from webinar.domain.errors import DomainError, Gone
from webinar.domain.upload import UploadState
from webinar.media.disk import FULL, MEGABYTE, DiskLow, ensure_room
from webinar.media.uploads import NoSuchUpload, OtherOffset, UploadStore
from webinar.models import Upload
from webinar.services import sessions, uploads
from webinar.web import tus
from webinar.web.access import requires
from webinar.web.guards import csrf, limiter
from webinar.web.manage.blueprint import bp

READ_BYTES = 256 * 1024
# Made durable at once; what came of one when the line breaks is kept as well.
DURABLE_BYTES = 4 * MEGABYTE
PATH = "/sessions/<public_id>/recording/uploads"


class TooLarge(DomainError):
    """More than this installation takes."""

    status = 413


def store() -> UploadStore:
    """Where the bytes lie: always on this disk."""
    return UploadStore(current_app.extensions["config"].DATA_DIR.resolve())


def _upload(public_id: str, upload_id: str) -> Upload:
    session = sessions.by_public_id(g.db, public_id)
    return uploads.by_public_id(g.db, session.id, upload_id)


def _ensure_room(size: int) -> None:
    config = current_app.extensions["config"]
    ensure_room(config.DATA_DIR, size=size, low_megabytes=config.LOW_DISK_MEGABYTES)


@bp.route(PATH, methods=["OPTIONS"], provide_automatic_options=False)
@requires(Action.PUBLISH_RECORDINGS)
def uploads_offered(public_id: str) -> ResponseReturnValue:
    """What this server can do."""
    largest = current_app.config["UPLOAD_MEGABYTES"] * MEGABYTE
    answer = make_response("", 204)
    answer.headers["Tus-Version"] = tus.VERSION
    answer.headers["Tus-Extension"] = tus.EXTENSIONS
    answer.headers["Tus-Checksum-Algorithm"] = ",".join(tus.ALGORITHMS)
    answer.headers["Tus-Max-Size"] = str(largest)
    return answer


@bp.route(PATH, methods=["POST"], provide_automatic_options=False)
@requires(Action.PUBLISH_RECORDINGS)
def upload_begin(public_id: str) -> ResponseReturnValue:
    """Begin to send a video; the answer says where."""
    tus.ensure_version(request.headers)
    length = tus.number_in(request.headers, "Upload-Length")
    largest = current_app.config["UPLOAD_MEGABYTES"]
    if length > largest * MEGABYTE:
        raise TooLarge(
            f"The file has {-(-length // MEGABYTE)} MB; up to {largest} MB are taken. "
            "Export it with a lower bit rate."
        )
    _ensure_room(length)
    upload = uploads.begin(
        g.db,
        sessions.by_public_id(g.db, public_id).id,
        user_id=current_user.id,
        file_name=tus.file_name_in(request.headers),
        length=length,
        now=g.now,
    )
    g.db.commit()
    try:
        store().begin(upload.public_id)
    except OSError as failure:
        uploads.withdraw(g.db, upload.id, actor_id=None, now=g.now)
        g.db.commit()
        if failure.errno not in FULL:
            raise
        raise DiskLow("The server's disk is full. Ask the administrator for room.") from failure
    answer = make_response("", 201)
    answer.headers["Location"] = url_for(
        "manage.upload_piece", public_id=public_id, upload_id=upload.public_id
    )
    return answer


@bp.route(f"{PATH}/<upload_id>", methods=["HEAD"], provide_automatic_options=False)
@limiter.exempt
@requires(Action.PUBLISH_RECORDINGS)
def upload_offset(public_id: str, upload_id: str) -> ResponseReturnValue:
    """How much of it is safe here: where to go on."""
    tus.ensure_version(request.headers)
    upload = _upload(public_id, upload_id)
    if upload.state is UploadState.UPLOADING:
        offset = store().offset(upload.public_id)
    elif upload.state in uploads.ACTIVE:
        offset = upload.length
    else:
        raise Gone("This upload is done with.")
    answer = make_response("", 200)
    answer.headers["Upload-Offset"] = str(offset)
    answer.headers["Upload-Length"] = str(upload.length)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.route(f"{PATH}/<upload_id>", methods=["PATCH"], provide_automatic_options=False)
@limiter.exempt
@requires(Action.PUBLISH_RECORDINGS)
def upload_piece(public_id: str, upload_id: str) -> ResponseReturnValue:
    """Take a piece; what is counted in the answer is on the disk."""
    # Bounded by what was announced, when it is read.
    request.max_content_length = current_app.config["UPLOAD_MEGABYTES"] * MEGABYTE
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    tus.ensure_version(request.headers)
    if request.mimetype != tus.PIECE_TYPE:
        raise tus.NoPiece(f"A piece of a video is sent as {tus.PIECE_TYPE}.")
    offset = tus.number_in(request.headers, "Upload-Offset")
    checksum = tus.checksum_in(request.headers)
    upload = _upload(public_id, upload_id)
    if upload.state is not UploadState.UPLOADING:
        raise Gone("This upload takes nothing more: it has arrived, or was withdrawn.")
    _ensure_room(0)
    # Nobody else waits for this network or disk: the write lock of the database is let go.
    g.db.commit()
    try:
        reached = _receive(upload, offset, checksum)
    finally:
        with_all = _offset_now(upload) == upload.length
        uploads.note_progress(g.db, upload.id, has_arrived=with_all, now=g.now)
        g.db.commit()
    answer = make_response("", 204)
    answer.headers["Upload-Offset"] = str(reached)
    return answer


csrf.exempt(upload_piece)


@bp.route(f"{PATH}/<upload_id>", methods=["DELETE"], provide_automatic_options=False)
@requires(Action.PUBLISH_RECORDINGS)
def upload_withdraw(public_id: str, upload_id: str) -> ResponseReturnValue:
    """Nobody wants it any more: its bytes are deleted."""
    tus.ensure_version(request.headers)
    upload = _upload(public_id, upload_id)
    if not uploads.withdraw(g.db, upload.id, actor_id=current_user.id, now=g.now):
        raise Gone("This upload is done with.")
    g.db.commit()
    store().delete(upload.public_id)
    return "", 204


@bp.after_request
def _say_version(answer: Response) -> Response:
    if request.endpoint in TUS:
        answer.headers["Tus-Resumable"] = tus.VERSION
    return answer


TUS = frozenset(
    f"manage.{view.__name__}"
    for view in (uploads_offered, upload_begin, upload_offset, upload_piece, upload_withdraw)
)


def _receive(upload: Upload, start: int, checksum: tus.Checksum | None) -> int:
    """Append the body of the request; how far the upload has come.

    A piece with a checksum is kept whole or not at all.
    """
    files, offset = store(), start
    digest = hashlib.new(checksum.algorithm) if checksum else None
    if start != (expected := files.offset(upload.public_id)):
        raise OtherOffset(expected=expected)  # before anything is read
    is_right = checksum is None
    try:
        for data in _pieces():
            if digest is not None:
                digest.update(data)
            # A piece may be the whole file: what others fill meanwhile counts as well.
            _ensure_room(len(data))
            offset = files.append(upload.public_id, offset, data, length=upload.length)
        if digest is not None and checksum is not None:
            is_right = digest.digest() == checksum.digest
    finally:
        if not is_right:
            files.cut(upload.public_id, since=offset, to=start)
    if not is_right:
        raise tus.ChecksumMismatch("The piece was changed on its way. Send it again.")
    return offset


def _pieces() -> Iterator[bytes]:
    """The body in parts of a few megabytes. What came before the line broke is among them."""
    waiting = bytearray()
    try:
        while data := request.stream.read(READ_BYTES):
            waiting += data
            if len(waiting) >= DURABLE_BYTES:
                yield bytes(waiting)
                waiting.clear()
    except ClientDisconnected:
        if waiting:
            yield bytes(waiting)
        raise
    if waiting:
        yield bytes(waiting)


def _offset_now(upload: Upload) -> int:
    try:
        return store().offset(upload.public_id)
    except NoSuchUpload:
        return -1
