"""Every command group, one line each, in alphabetical order."""

from flask import Flask

from webinar.cli.db import db
from webinar.cli.mail import mail
from webinar.cli.refusals import refuse_politely
from webinar.cli.users import users


def init_app(app: Flask) -> None:
    """Register the groups; a DomainError becomes a sentence on stderr and exit status 1."""
    for group in (db, mail, users):
        app.cli.add_command(refuse_politely(group))
