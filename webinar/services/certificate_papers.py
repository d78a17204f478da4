"""The signed papers of certificates: kept once, handed out ever after as they are."""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.certificate_paper import Paper
from webinar.models import Certificate, CertificatePaper
from webinar.services import certificates

# What could not be set within that time (letters no font has) waits until somebody asks for it.
TRY_FOR = timedelta(days=2)


def keep(
    db: DbSession, certificate: Certificate, paper: Paper, *, now: datetime
) -> CertificatePaper:
    """Keep the paper; where another was quicker, theirs is returned and this one forgotten."""
    values = {
        "certificate_id": certificate.id,
        "pdf": paper.pdf,
        "sha256": paper.sha256,
        "badge": paper.badge,
        "key_id": paper.key_id,
        "made_at": now,
    }
    table = cast(Table, CertificatePaper.__table__)
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = db.scalar(
        insert(table).values(values).on_conflict_do_nothing().returning(table.c.certificate_id)
    )
    if made is not None:
        certificates.vouch(db, [certificate], now=now)
    return db.get_one(CertificatePaper, certificate.id)


def of_certificate(db: DbSession, certificate_id: int) -> CertificatePaper | None:
    """The paper, if it was set."""
    return db.get(CertificatePaper, certificate_id)


def by_file(db: DbSession, pdf: bytes) -> Certificate | None:
    """The certificate whose paper is this file, byte for byte."""
    return db.scalar(
        select(Certificate)
        .join(CertificatePaper, CertificatePaper.certificate_id == Certificate.id)
        .where(CertificatePaper.sha256 == hashlib.sha256(pdf).hexdigest())
    )


def to_set(db: DbSession, *, limit: int, now: datetime, but: Collection[int] = ()) -> list[int]:
    """Ids of fresh certificates that stand and have no paper yet, the oldest first; not `but`."""
    return list(
        db.scalars(
            select(Certificate.id)
            .outerjoin(CertificatePaper, CertificatePaper.certificate_id == Certificate.id)
            .where(
                CertificatePaper.certificate_id.is_(None),
                Certificate.revoked_at.is_(None),
                Certificate.superseded_by.is_(None),
                Certificate.issued_at > now - TRY_FOR,
                Certificate.id.not_in(but),
            )
            .order_by(Certificate.id)
            .limit(limit)
        )
    )
