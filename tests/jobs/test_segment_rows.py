"""Where a media worker goes on."""

from datetime import timedelta

from tests.builders import STARTS_AT, make_moderated, make_session, make_user
from webinar.db import DbSession
from webinar.domain.rendition import Rendition
from webinar.jobs.segment_rows import Reached, reached_of, segment_row
from webinar.media.sealing import Position
from webinar.media.segments import PackagedSegment
from webinar.models import Recording
from webinar.services import broadcasts, recordings


def store(
    db: DbSession, recording: Recording, rendition: Rendition, sequence: int, take: int
) -> None:
    segment = PackagedSegment(
        sequence=sequence,
        take=take,
        key_number=0,
        iv="00",
        duration_seconds=1.5,
        take_offset_seconds=sequence * 1.5,
        programme_time=STARTS_AT + timedelta(seconds=sequence * 1.5),
        discontinuity=False,
        size=16,
        name=f"recordings/{recording.public_id}/{rendition}-{sequence}.ts",
        rendition=rendition,
    )
    recordings.add_segment(db, segment_row(recording.id, segment))
    db.flush()


def test_every_rendition_goes_on_behind_its_own_last_segment(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcasts.go_live(db, session.id, user_id=user.id, now=STARTS_AT)
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    for sequence in range(3):
        store(db, recording, Rendition.MAIN, sequence, take=0)
    store(db, recording, Rendition.LOW, 0, take=0)

    first = reached_of(db, recording, 0)
    second = reached_of(db, recording, 1)

    assert first == Reached(
        {Rendition.MAIN: Position(4.5, 3), Rendition.LOW: Position(1.5, 1)}, None
    )
    assert second == Reached(
        {Rendition.MAIN: Position(0.0, 3), Rendition.LOW: Position(0.0, 1)},
        STARTS_AT + timedelta(seconds=4.5),
    )
    assert recording.duration_seconds == 4.5
