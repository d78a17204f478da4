"""What the clock does for the faculty."""

import os
from datetime import timedelta

from sqlalchemy import select

from config import Config
from tests.builders import NOW, STARTS_AT, make_faculty, make_session, make_user
from webinar.db import DbSession
from webinar.domain.faculty import FileKind
from webinar.domain.letter import MailKind
from webinar.jobs import faculty as job
from webinar.jobs.toolbox import Toolbox
from webinar.media.faculty_files import faculty_files
from webinar.models import Delivery
from webinar.services import faculty
from webinar.services.faculty import NewFile

DAY = timedelta(days=1)


def test_the_clock_reminds_once_of_what_is_missing(db: DbSession, config: Config) -> None:
    person = make_user(db)
    member = make_faculty(db, make_session(db), user=person, disclosure="")
    member.invited_at = STARTS_AT - 60 * DAY
    db.commit()
    tools = Toolbox.from_config(config)

    for hours in (0, 1, 2):
        job.remind_faculty(tools, STARTS_AT - 10 * DAY + timedelta(hours=hours))

    owed = db.scalars(select(Delivery)).all()
    assert [(one.kind, one.user_id, one.subject_id, one.revision) for one in owed] == [
        (MailKind.FACULTY_REMINDER, person.id, member.id, 10)
    ]


def test_files_of_nobody_are_forgotten_after_a_day(db: DbSession, config: Config) -> None:
    member = make_faculty(db, make_session(db))
    kept = NewFile("talk.pdf", "application/pdf", 3, "0" * 64, "kept.pdf")
    faculty.keep_file(db, member.id, FileKind.SLIDES, kept, now=NOW)
    db.commit()
    files = faculty_files(config.DATA_DIR)
    two_days_ago = (NOW - 2 * DAY).timestamp()
    for name, stored_at in (("kept.pdf", two_days_ago), ("left.pdf", two_days_ago)):
        files.put(name, b"old")
        os.utime(files.path(name), (stored_at, stored_at))
    files.put("young.pdf", b"new")
    os.utime(files.path("young.pdf"), (NOW.timestamp(), NOW.timestamp()))

    job.forget_files(Toolbox.from_config(config), NOW)

    assert {path.name for path in files.root.iterdir()} == {"kept.pdf", "young.pdf"}


def test_without_any_file_there_is_nothing_to_forget(config: Config) -> None:
    files = faculty_files(config.DATA_DIR)

    job.forget_files(Toolbox.from_config(config), NOW)

    assert not files.root.exists()
