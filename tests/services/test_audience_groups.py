import pytest
from sqlalchemy import select

from tests.builders import NOW, make_session, make_society
from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.models import AudienceGroup, AuditEvent, Society
from webinar.services import audience_groups
from webinar.services.audience_groups import Counted, GroupExists, GroupInUse


def create(db: DbSession, society: Society, name: str) -> AudienceGroup:
    return audience_groups.create(db, society_id=society.id, name=name, actor_id=None, now=NOW)


def test_a_society_has_groups_of_its_own_and_those_of_everybody(db: DbSession) -> None:
    ours, theirs = make_society(db, "eso"), make_society(db, "hesmo")
    juniors = create(db, ours, "Juniors")
    create(db, theirs, "Young oncologists")
    everybody = AudienceGroup(slug="students", name="Students")
    db.add(everybody)
    db.flush()

    assert audience_groups.offered(db, ours.id) == [juniors, everybody]
    assert audience_groups.of_society(db, ours.id) == [Counted(juniors, 0)]


def test_a_label_stands_for_one_group(db: DbSession) -> None:
    ours, theirs = make_society(db), make_society(db)
    create(db, ours, "Juniors")

    with pytest.raises(GroupExists, match="There is a group called Juniors already"):
        create(db, theirs, "juniors")


def test_a_group_is_renamed_and_written_down(db: DbSession) -> None:
    society = make_society(db)
    group = create(db, society, "Juniors")

    done = [
        audience_groups.rename(db, group, name=name, actor_id=None, now=NOW)
        for name in ("Residents", "Residents")
    ]

    assert (done, group.slug, group.name) == ([True, False], "juniors", "Residents")
    assert db.scalars(select(AuditEvent.subject)).all() == [f"society {society.id}"] * 2


def test_a_group_in_use_stays(db: DbSession) -> None:
    society = make_society(db)
    used, unused = create(db, society, "Juniors"), create(db, society, "Seniors")
    make_session(db, society=society).audience = [used]
    db.flush()

    audience_groups.remove(db, unused, actor_id=None, now=NOW)

    with pytest.raises(GroupInUse):
        audience_groups.remove(db, used, actor_id=None, now=NOW)
    assert audience_groups.of_society(db, society.id) == [Counted(used, 1)]


def test_a_group_of_another_society_is_not_found(db: DbSession) -> None:
    ours, theirs = make_society(db), make_society(db)
    group = create(db, theirs, "Juniors")

    with pytest.raises(NotFound):
        audience_groups.of_id(db, ours.id, group.id)
