"""Certificates set and signed ahead of their first download."""

import logging
from datetime import datetime

from webinar.db import open_db, read_db
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.models import Certificate
from webinar.services import certificate_papers, certificates, parked
from webinar.tools import certificate_press

log = logging.getLogger(__name__)

# A tick stays below some seconds; the next one goes on.
AT_ONCE = 100
SETTING = "setting a certificate"


def set_certificates(tools: Toolbox, now: datetime) -> None:
    """Set and sign fresh certificates, each in a transaction of its own."""
    with read_db() as db:
        fresh = certificate_papers.to_set(
            db, limit=AT_ONCE, now=now, but=parked.waiting(db, SETTING, now=now)
        )
        waiting = [db.get_one(Certificate, certificate_id) for certificate_id in fresh]
    if not waiting:
        return
    press = certificate_press(tools.config)
    for certificate in waiting:
        with apart(SETTING, certificate.id, now=now):
            content = certificates.content_of(certificate)
            # Outside the transaction: on SQLite everybody else would wait meanwhile.
            paper = press.paper(content, issued_at=certificate.issued_at, now=now)
            with open_db.begin() as db:
                certificate_papers.keep(db, db.get_one(Certificate, certificate.id), paper, now=now)
