"""Societies: the bodies that offer sessions."""

import re
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.models import Society
from webinar.services import audit

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
LONGEST_SLUG = 60


class BadSlug(DomainError):
    """A short name that cannot stand in an address."""


class SlugTaken(Conflict):
    """Another thing of the kind has this short name."""


class NameMissing(DomainError):
    """What people call it is missing, or longer than any list can show."""


def ensure_slug(slug: str) -> None:
    """Raise BadSlug unless the text can stand in an address."""
    if len(slug) > LONGEST_SLUG or not SLUG.fullmatch(slug):
        raise BadSlug(
            f"{slug!r} cannot stand in an address. Use small letters, digits and single hyphens, "
            f"at most {LONGEST_SLUG}: e-grandrounds."
        )


def slug_for(name: str) -> str:
    """A short name made from a name: "e-Grandrounds 2027" gives e-grandrounds-2027."""
    words = "-".join(re.findall(r"[a-z0-9]+", name.casefold(), re.ASCII))
    return words[:LONGEST_SLUG].strip("-")


def ensure_name(name: str, *, longest: int = 200) -> str:
    """The name without blanks around it; raises NameMissing."""
    name = name.strip()
    if not name or len(name) > longest:
        raise NameMissing(f"Give it a name of 1 to {longest} characters.")
    return name


def create(
    db: DbSession,
    *,
    slug: str,
    name: str,
    short_name: str = "",
    about: str = "",
    country: str = "CH",
    actor_id: int | None,
    now: datetime,
) -> Society:
    """Add a society; raises BadSlug, SlugTaken, NameMissing."""
    ensure_slug(slug)
    name = ensure_name(name)
    if db.scalar(select(Society.id).where(Society.slug == slug)) is not None:
        raise SlugTaken(f"There is a society called {slug} already. Choose another short name.")
    society = Society(
        slug=slug,
        name=name,
        short_name=ensure_name(short_name or name[:40], longest=40),
        about=about.strip(),
        country=country,
    )
    db.add(society)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="society created",
        subject=f"society {society.id}",
        after={"slug": slug, "name": name},
        now=now,
    )
    return society


def listed(db: DbSession) -> list[Society]:
    """Every society, by name."""
    return list(db.scalars(select(Society).order_by(Society.name, Society.id)))


def by_slug(db: DbSession, slug: str) -> Society:
    """The society of this short name; raises NotFound."""
    society = db.scalar(select(Society).where(Society.slug == slug))
    if society is None:
        raise NotFound(f"There is no society called {slug!r}.")
    return society


def house(db: DbSession, *, site_name: str, now: datetime) -> Society:
    """Whose things are when nobody names a society: the oldest, else one named like the site."""
    oldest = db.scalar(select(Society).order_by(Society.id).limit(1))
    if oldest is not None:
        return oldest
    return create(db, slug=slug_for(site_name) or "house", name=site_name, actor_id=None, now=now)
