from datetime import date

import pytest
from sqlalchemy import select

from config import Config
from tests.builders import NOW, make_series, make_session, make_society
from webinar.db import DbSession
from webinar.domain.errors import NotFound
from webinar.models import AuditEvent, Auspices, Society
from webinar.services import feeds, societies
from webinar.services.societies import BadSlug, Counts, NameMissing, SlugTaken, UnknownCountry
from webinar.tools import calendar_tool


def test_a_society_is_created_and_written_down(db: DbSession) -> None:
    society = societies.create(db, slug="eso", name=" School of Oncology ", actor_id=None, now=NOW)

    assert (society.slug, society.name, society.short_name) == (
        "eso",
        "School of Oncology",
        "School of Oncology",
    )
    assert db.scalars(select(AuditEvent.action)).all() == ["society created"]
    assert societies.by_slug(db, "eso") is society


def test_a_short_name_is_given_once(db: DbSession) -> None:
    make_society(db, "eso")

    with pytest.raises(SlugTaken, match="There is a society called eso already"):
        societies.create(db, slug="eso", name="Another", actor_id=None, now=NOW)

    assert len(societies.listed(db)) == 1


@pytest.mark.parametrize("slug", ["", "Eso", "e--so", "-eso", "e so", "e/so", "é", "x" * 61])
def test_a_short_name_that_cannot_stand_in_an_address_is_refused(db: DbSession, slug: str) -> None:
    with pytest.raises(BadSlug, match="cannot stand in an address"):
        societies.create(db, slug=slug, name="School", actor_id=None, now=NOW)

    assert db.scalars(select(Society)).all() == []


def test_a_society_needs_a_name(db: DbSession) -> None:
    with pytest.raises(NameMissing, match="1 to 200 characters"):
        societies.create(db, slug="eso", name="  ", actor_id=None, now=NOW)


def test_an_unknown_society_is_not_found(db: DbSession) -> None:
    with pytest.raises(NotFound, match="There is no society called 'nobody'"):
        societies.by_slug(db, "nobody")


def test_without_a_society_one_named_like_the_site_is_made_once(db: DbSession) -> None:
    first = societies.house(db, site_name="Grand Rounds Online", now=NOW)
    second = societies.house(db, site_name="Grand Rounds Online", now=NOW)

    assert first is second
    assert (first.slug, first.name) == ("grand-rounds-online", "Grand Rounds Online")


def edit(db: DbSession, society: Society, config: Config, **words: str) -> bool:
    said = {
        "name": society.name,
        "short_name": society.short_name,
        "about": society.about,
        "country": "CH",
        **words,
    }
    calendar = calendar_tool(config)
    return societies.edit(db, society.id, **said, actor_id=None, calendar=calendar, now=NOW)


def test_calendars_hear_once_of_a_society_that_is_called_something_else(
    config: Config, db: DbSession
) -> None:
    ours, lending = make_society(db), make_society(db)
    session, other = make_session(db, society=ours), make_session(db)
    other.auspices.append(Auspices(society=lending, decided_on=date(2026, 11, 3)))
    calendar = calendar_tool(config)
    for one in (session, other):
        feeds.refresh(db, one, calendar=calendar, now=NOW)

    changed = [
        edit(db, ours, config, name="School of Oncology"),
        edit(db, ours, config),
        edit(db, lending, config, name="Society of Lending"),
    ]

    assert changed == [True, False, True]
    assert (session.ical_sequence, other.ical_sequence) == (1, 1)
    assert "Society of Lending" in other.ical_public
    assert db.scalars(select(AuditEvent.action)).all() == ["society changed"] * 2


def test_a_society_needs_a_country_that_exists(config: Config, db: DbSession) -> None:
    with pytest.raises(UnknownCountry):
        edit(db, make_society(db), config, country="XX")


def test_what_a_society_offers_is_counted(db: DbSession) -> None:
    society = make_society(db)
    make_session(db, series=make_series(db, society=society))

    assert societies.counts(db) == {society.id: Counts(series=1, sessions=1, auspices=0)}
