"""The bodies that grant credit: made known, changed, and what they ask of an application."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.application_terms import ApplicationTerms
from webinar.domain.errors import NotFound
from webinar.models import Accreditor
from webinar.services import audit
from webinar.services.policy_versions import Rule
from webinar.services.societies import SlugTaken, ensure_name, slug_for


def listed(db: DbSession) -> list[Accreditor]:
    """Every body, by name."""
    return list(db.scalars(select(Accreditor).order_by(Accreditor.name, Accreditor.id)))


def by_slug(db: DbSession, slug: str) -> Accreditor:
    """The body of this short name in addresses; raises NotFound."""
    body = db.scalar(select(Accreditor).where(Accreditor.slug == slug))
    if body is None:
        raise NotFound("There is no such body.")
    return body


def body_of(rule: Rule, bodies: Sequence[Accreditor]) -> Accreditor | None:
    """The body a shipped policy was written for, by its name; None for others."""
    fitting = [body for body in bodies if body.slug in rule.policy.name]
    return max(fitting, key=lambda body: len(body.slug), default=None)


def terms_of(body: Accreditor) -> ApplicationTerms:
    """What the body asks of an application."""
    return ApplicationTerms.from_data(body.application_terms)


def add(
    db: DbSession, *, name: str, short_name: str, unit: str, actor_id: int | None, now: datetime
) -> Accreditor:
    """Make a body known; raises NameMissing, SlugTaken."""
    name, short_name = ensure_name(name), ensure_name(short_name, longest=40)
    unit = ensure_name(unit, longest=40)
    slug = slug_for(short_name)[:40] or slug_for(name)[:40] or "body"
    if db.scalar(select(Accreditor.id).where(Accreditor.slug == slug)) is not None:
        raise SlugTaken(f"A body called {short_name} is known already. Choose it in the list.")
    body = Accreditor(slug=slug, name=name, short_name=short_name, unit=unit)
    db.add(body)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="accreditor added",
        subject=f"accreditor {body.id}",
        after=_facts(body),
        now=now,
    )
    return body


def change(
    db: DbSession,
    body: Accreditor,
    *,
    name: str,
    short_name: str,
    unit: str,
    terms: ApplicationTerms,
    actor_id: int | None,
    now: datetime,
) -> bool:
    """Let the body be called and ask this; True if anything is different. Raises NameMissing."""
    before = _facts(body)
    body.name = ensure_name(name)
    body.short_name = ensure_name(short_name, longest=40)
    body.unit = ensure_name(unit, longest=40)
    if terms != terms_of(body) or body.application_terms is None:
        body.application_terms = terms.data
    after = _facts(body)
    if after == before:
        return False
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="accreditor changed",
        subject=f"accreditor {body.id}",
        before=before,
        after=after,
        now=now,
    )
    return True


def _facts(body: Accreditor) -> Mapping[str, object]:
    return {
        "name": body.name,
        "short_name": body.short_name,
        "unit": body.unit,
        "application_terms": body.application_terms,
    }
