"""Societies: the bodies that offer sessions."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select

from webinar.db import DbSession
from webinar.domain.countries import COUNTRIES
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.models import Auspices, Series, Society, WebinarSession
from webinar.services import audit
from webinar.services.calendar_refresh import refresh_coming
from webinar.services.feeds import CalendarTool

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
LONGEST_SLUG = 60


class BadSlug(DomainError):
    """A short name that cannot stand in an address."""


class SlugTaken(Conflict):
    """Another thing of the kind has this short name."""


class UnknownCountry(DomainError):
    """No country has this code."""


@dataclass(frozen=True)
class Counts:
    """What a society offers: series, sessions, and sessions of others under its auspices."""

    series: int = 0
    sessions: int = 0
    auspices: int = 0


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


def free_slug(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """The short name; with the first number behind it that makes it a new one: nodes-2."""
    slug, number = wanted, 1
    while is_taken(slug):
        number += 1
        slug = f"{wanted[: LONGEST_SLUG - 4].strip('-')}-{number}"
    return slug


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


def edit(
    db: DbSession,
    society_id: int,
    *,
    name: str,
    short_name: str,
    about: str,
    country: str,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> bool:
    """Change what is said of a society; its address stays. True if anything was different.

    Raises NameMissing, UnknownCountry. Calendar entries name the society, so they follow.
    """
    society = db.get_one(Society, society_id)
    before, was_called = _facts(society), society.name
    if country not in COUNTRIES:
        raise UnknownCountry("Choose the country from the list.")
    society.name = ensure_name(name)
    society.short_name = ensure_name(short_name, longest=40)
    society.about = about.strip()
    society.country = country
    db.flush()
    if (after := _facts(society)) == before:
        return False
    if society.name != was_called:
        names_it = or_(
            WebinarSession.society_id == society.id,
            WebinarSession.auspices.any(Auspices.society_id == society.id),
        )
        refresh_coming(db, names_it, calendar=calendar, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="society changed",
        subject=f"society {society.id}",
        before=before,
        after=after,
        now=now,
    )
    return True


def counts(db: DbSession) -> dict[int, Counts]:
    """How much each society offers; three queries."""
    series = _numbers(db, select(Series.society_id, func.count()).group_by(Series.society_id))
    sessions = _numbers(
        db, select(WebinarSession.society_id, func.count()).group_by(WebinarSession.society_id)
    )
    auspices = _numbers(db, select(Auspices.society_id, func.count()).group_by(Auspices.society_id))
    return {
        society_id: Counts(
            series.get(society_id, 0), sessions.get(society_id, 0), auspices.get(society_id, 0)
        )
        for society_id in {*series, *sessions, *auspices}
    }


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


def _numbers(db: DbSession, query: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in db.execute(query)}


def _facts(society: Society) -> dict[str, str]:
    return {
        "name": society.name,
        "short name": society.short_name,
        "about": society.about,
        "country": society.country,
    }
