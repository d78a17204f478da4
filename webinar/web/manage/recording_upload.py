"""The page on which a video is sent: chosen, on its way, waiting, packaged, done or refused."""

from flask import current_app, g, render_template
from flask.typing import ResponseReturnValue

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.media.uploads import NoSuchUpload
from webinar.models import Upload, WebinarSession
from webinar.services import recordings, sessions, uploads
from webinar.tools import disk_is_low
from webinar.web.access import requires
from webinar.web.guards import limiter
from webinar.web.manage.blueprint import bp
from webinar.web.manage.uploads import store

PATH = "/sessions/<public_id>/recording/upload"


@bp.get(PATH)
@requires(Action.PUBLISH_RECORDINGS)
def recording_upload(public_id: str) -> ResponseReturnValue:
    """Choose a video, or see what has become of the last one."""
    session = sessions.by_public_id(g.db, public_id)
    try:
        purpose, refusal = uploads.purpose_for(g.db, session, now=g.now), ""
    except DomainError as no:
        purpose, refusal = None, str(no)
    return render_template(
        "manage/recording_upload.html",
        session=session,
        recording=recordings.for_session(g.db, session.id),
        is_replacement=purpose is UploadPurpose.REPLACE,
        refusal=refusal,
        upload=_facts(session, uploads.latest(g.db, session.id)),
        largest=current_app.config["UPLOAD_MEGABYTES"],
        is_full=disk_is_low(current_app.extensions["config"]),
        kept_days=uploads.KEPT_DAYS,
    )


@bp.get(f"{PATH}/state")
@limiter.exempt
@requires(Action.PUBLISH_RECORDINGS)
def recording_upload_state(public_id: str) -> ResponseReturnValue:
    """How far the newest upload is, for the page that shows it."""
    session = sessions.by_public_id(g.db, public_id)
    return _facts(session, uploads.latest(g.db, session.id))


def _facts(session: WebinarSession, upload: Upload | None) -> dict[str, object]:
    if upload is None:
        return {"state": "none"}
    received = upload.length
    if upload.state is UploadState.UPLOADING:
        try:
            received = store().offset(upload.public_id)
        except NoSuchUpload:
            received = 0
    left = uploads.seconds_left(upload, now=g.now)
    return {
        "state": upload.state.value,
        "id": upload.public_id,
        "file_name": upload.file_name,
        "length": upload.length,
        "received": received,
        "progress": round(upload.progress, 4),
        "seconds_left": None if left is None else round(left),
        "found": upload.found,
        "problem": upload.problem,
        "is_replacement": upload.purpose is UploadPurpose.REPLACE,
    }
