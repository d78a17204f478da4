"""Members' groups: labels that say for whom a session is made. A label, not a door."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.models import AudienceGroup, Society
from webinar.models.season import session_audience
from webinar.services import audit
from webinar.services.societies import NameMissing, ensure_name, free_slug, slug_for

LONGEST_NAME = 120


class GroupExists(Conflict):
    """Another group has this name."""


class GroupInUse(Conflict):
    """Sessions carry the label."""


@dataclass(frozen=True)
class Counted:
    """A group and how many sessions are made for it."""

    group: AudienceGroup
    sessions: int


def offered(db: DbSession, society_id: int) -> list[AudienceGroup]:
    """The groups a session of this society can be made for: its own, and those of everybody."""
    found = select(AudienceGroup).where(
        or_(AudienceGroup.society_id == society_id, AudienceGroup.society_id.is_(None))
    )
    return list(db.scalars(found.order_by(AudienceGroup.name, AudienceGroup.id)))


def of_society(db: DbSession, society_id: int) -> list[Counted]:
    """The society's own groups with their use, by name; one query."""
    found = db.execute(
        select(AudienceGroup, func.count(session_audience.c.session_id))
        .outerjoin(session_audience, session_audience.c.group_id == AudienceGroup.id)
        .where(AudienceGroup.society_id == society_id)
        .group_by(AudienceGroup.id)
        .order_by(AudienceGroup.name, AudienceGroup.id)
    )
    return [Counted(row[0], row[1]) for row in found]


def create(
    db: DbSession, *, society_id: int, name: str, actor_id: int | None, now: datetime
) -> AudienceGroup:
    """Add a group of a society; raises NameMissing, GroupExists."""
    name = _free_name(db, name)
    group = AudienceGroup(society_id=society_id, slug=_free_slug(db, society_id, name), name=name)
    db.add(group)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="group created",
        subject=f"society {group.society_id}",
        after={"name": name},
        now=now,
    )
    return group


def rename(
    db: DbSession, group: AudienceGroup, *, name: str, actor_id: int | None, now: datetime
) -> bool:
    """Call a group something else; raises NameMissing, GroupExists. True if it was different."""
    name = _free_name(db, name, besides=group)
    if name == group.name:
        return False
    before, group.name = group.name, name
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="group renamed",
        subject=f"society {group.society_id}",
        before={"name": before},
        after={"name": name},
        now=now,
    )
    return True


def remove(db: DbSession, group: AudienceGroup, *, actor_id: int | None, now: datetime) -> None:
    """Take a group away that no session is made for; raises GroupInUse."""
    used = db.scalar(select(func.count()).where(session_audience.c.group_id == group.id))
    if used:
        raise GroupInUse(
            f"Sessions are made for {group.name}. Take the label off them first, or rename it."
        )
    audit.write(
        db,
        actor_id=actor_id,
        action="group removed",
        subject=f"society {group.society_id}",
        before={"name": group.name},
        now=now,
    )
    db.delete(group)
    db.flush()


def of_id(db: DbSession, society_id: int, group_id: int) -> AudienceGroup:
    """The group of this society; raises NotFound."""
    group = db.get(AudienceGroup, group_id)
    if group is None or group.society_id != society_id:
        raise NotFound("This society has no such group any more. Look at the list again.")
    return group


def _free_name(db: DbSession, name: str, *, besides: AudienceGroup | None = None) -> str:
    """Labels stand alone in the schedule, so two societies cannot have the same one."""
    name = ensure_name(" ".join(name.split()), longest=LONGEST_NAME)
    if not slug_for(name):
        raise NameMissing("Write the name with some Latin letters.")
    for other in db.scalars(select(AudienceGroup)):
        if other is not besides and slug_for(other.name) == slug_for(name):
            raise GroupExists(
                f"There is a group called {other.name} already. Say whose it is: "
                "“Young oncologists of the School”."
            )
    return name


def _free_slug(db: DbSession, society_id: int, name: str) -> str:
    """Of the name; else with the society before it, and with a number behind it at need."""

    def is_taken(slug: str) -> bool:
        return db.scalar(select(AudienceGroup.id).where(AudienceGroup.slug == slug)) is not None

    slug = slug_for(name)
    if not is_taken(slug):
        return slug
    society = db.get_one(Society, society_id)
    return free_slug(slug_for(f"{society.slug}-{slug}"), is_taken)
