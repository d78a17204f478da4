"""The credit policies the product comes with: read from the data beside this module, and stored."""

import json
from datetime import datetime
from importlib import resources

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.application_terms import ApplicationTerms
from webinar.domain.policy import CreditPolicy
from webinar.models import Accreditor
from webinar.models import CreditPolicy as StoredPolicy

SEED_VERSION = 1
ACCREDITORS = (
    # slug, name, short name for chips, unit
    ("eaccme", "European Accreditation Council for CME (EACCME)", "CME", "ECMEC"),
    ("esmo-mora", "European Society for Medical Oncology, MORA", "ESMO-MORA", "point"),
    ("acoe", "Accreditation Council of Oncology in Europe (ACOE)", "ACOE", "point"),
    ("ebac", "European Board for Accreditation in CPD (EBAC)", "EBAC", "credit"),
    ("ama", "American Medical Association, PRA Category 1", "AMA PRA 1", "credit"),
    ("ecm", "Educazione Continua in Medicina (ECM)", "ECM", "credit"),
    ("de-laek", "German Medical Association", "CME (DE)", "point"),
    ("swisswebinar", "Swisswebinar", "Swisswebinar", "point"),
    ("uk-rcp", "Federation of the Royal Colleges of Physicians", "UK CPD", "credit"),
)
"""What the product knows from the start; officers add others."""


def seed_policies() -> dict[str, CreditPolicy]:
    """All shipped policies by name, version 1."""
    return {
        name: CreditPolicy.from_data(name, SEED_VERSION, data) for name, data in _seeds().items()
    }


def ensure_policies(db: DbSession, *, now: datetime) -> dict[str, StoredPolicy]:
    """Put in the shipped policies and accreditors that are missing; what is there stays.

    Returns the shipped policies' rows by name.
    """
    rows = {
        row.name: row
        for row in db.scalars(select(StoredPolicy).where(StoredPolicy.version == SEED_VERSION))
    }
    for name, data in _seeds().items():
        if name not in rows:
            rows[name] = StoredPolicy(
                name=name, version=SEED_VERSION, data=data, created_at=now, approved_at=now
            )
            db.add(rows[name])
    terms = seed_terms()
    bodies = {body.slug: body for body in db.scalars(select(Accreditor))}
    for slug, name, short_name, unit in ACCREDITORS:
        if slug not in bodies:
            bodies[slug] = Accreditor(slug=slug, name=name, short_name=short_name, unit=unit)
            db.add(bodies[slug])
        if bodies[slug].application_terms is None and slug in terms:
            bodies[slug].application_terms = terms[slug].data
    db.flush()
    return rows


def seed_terms() -> dict[str, ApplicationTerms]:
    """What the shipped bodies ask of an application; a body without known terms is missing."""
    return {
        slug: ApplicationTerms.from_data(data)
        for slug, data in _seeds("application_terms.json").items()
    }


def _seeds(file: str = "credit_policies.json") -> dict[str, dict[str, object]]:
    text = resources.files("webinar.services").joinpath(f"seeds/{file}").read_text()
    return {name: data for name, data in json.loads(text).items() if name != "_note"}
