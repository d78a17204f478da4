"""Every command group, one line each, in alphabetical order."""

from flask import Flask

from webinar.cli.attendance_reports import COMMANDS as REPORT_COMMANDS
from webinar.cli.backup import backup
from webinar.cli.certificates import certificates
from webinar.cli.credits import credits
from webinar.cli.db import db
from webinar.cli.demo import demo
from webinar.cli.doctor import doctor
from webinar.cli.evidence import evidence
from webinar.cli.mail import mail
from webinar.cli.media import media
from webinar.cli.own_data import COMMANDS as PEOPLE_COMMANDS
from webinar.cli.recordings import recordings
from webinar.cli.refusals import refuse_politely
from webinar.cli.restore import restore
from webinar.cli.retention import retention
from webinar.cli.scheduler import scheduler
from webinar.cli.season_sheet import COMMANDS as SEASON_COMMANDS
from webinar.cli.series import series
from webinar.cli.sessions import group as sessions
from webinar.cli.users import users
from webinar.cli.windows import COMMANDS as WINDOW_COMMANDS
from webinar.cli.worker import worker
from webinar.jobs import clock
from webinar.services import ticks


def init_app(app: Flask) -> None:
    """Register the groups; a DomainError becomes a sentence on stderr and exit status 1."""
    # Pages that say how late the clock is must know what it does, and may not import it.
    ticks.bind(clock.plan())
    for command in REPORT_COMMANDS:
        evidence.add_command(command)
    for command in SEASON_COMMANDS:
        sessions.add_command(command)
    for command in WINDOW_COMMANDS:
        recordings.add_command(command)
    for command in PEOPLE_COMMANDS:
        users.add_command(command)
    for group in (
        backup,
        certificates,
        credits,
        db,
        demo,
        doctor,
        evidence,
        mail,
        media,
        recordings,
        restore,
        retention,
        scheduler,
        series,
        sessions,
        users,
        worker,
    ):
        app.cli.add_command(refuse_politely(group))
