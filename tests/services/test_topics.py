from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW, STARTS_AT, make_session
from webinar.db import DbSession
from webinar.domain.topic_tree import DoesNotFit
from webinar.models import AuditEvent, Topic
from webinar.services import calendars, feeds, topic_tree, topics
from webinar.services.feeds import CalendarTool
from webinar.services.topic_tree import TopicExists, TopicInUse
from webinar.services.topics import UnusableTopic


def create(db: DbSession, name: str, parent: Topic | None = None) -> Topic:
    return topic_tree.create(
        db, name=name, parent_id=parent.id if parent else None, actor_id=None, now=NOW
    )


def test_topics_are_made_once_whatever_the_case(db: DbSession) -> None:
    first = topics.named(db, ["Breast cancer", " Lung  cancer "])
    second = topics.named(db, ["breast CANCER", "Lung cancer", "lung cancer"])

    assert [topic.name for topic in first] == ["Breast cancer", "Lung cancer"]
    assert second == first
    assert topics.listed(db) == first


def test_a_topic_without_letters_is_refused(db: DbSession) -> None:
    with pytest.raises(UnusableTopic, match="'--' cannot be a topic"):
        topics.named(db, ["Breast cancer", "--"])


def test_the_tree_counts_sessions_and_stands_in_order(db: DbSession) -> None:
    oncology = create(db, "Oncology")
    breast = create(db, "Breast cancer", oncology)
    create(db, "Haematology")
    make_session(db, topics=(breast,))

    shown = [(b.topic.name, b.level, b.sessions, b.below) for b in topic_tree.branches(db)]

    assert shown == [
        ("Haematology", 1, 0, 0),
        ("Oncology", 1, 0, 1),
        ("Breast cancer", 2, 1, 0),
    ]


def test_a_name_is_given_once_whatever_the_case(db: DbSession) -> None:
    create(db, "Breast cancer")

    with pytest.raises(TopicExists, match="called Breast cancer already"):
        create(db, "breast  Cancer")


def test_a_renamed_topic_keeps_its_address_and_calendars_hear_of_it_once(
    db: DbSession, calendar: CalendarTool
) -> None:
    topic = create(db, "Breast")
    coming, over = (
        make_session(db, topics=(topic,)),
        make_session(db, topics=(topic,), starts_at=STARTS_AT - timedelta(days=60)),
    )
    for session in (coming, over):
        feeds.refresh(db, session, calendar=calendar, now=NOW)

    topic_tree.change(
        db,
        topic.id,
        name="Breast cancer",
        parent_id=None,
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )

    assert (topic.slug, coming.ical_sequence, over.ical_sequence) == ("breast", 1, 0)
    assert topics.named(db, ["breast CANCER"]) == [topic]
    assert "CATEGORIES:Breast cancer" in coming.ical_public


def test_a_topic_moves_but_not_below_itself(db: DbSession, calendar: CalendarTool) -> None:
    oncology, lung = create(db, "Oncology"), create(db, "Lung")

    def move(topic: Topic, parent: Topic) -> bool:
        return topic_tree.change(
            db,
            topic.id,
            name=topic.name,
            parent_id=parent.id,
            actor_id=None,
            calendar=calendar,
            now=NOW,
        )

    assert move(lung, oncology) is True
    assert move(lung, oncology) is False
    with pytest.raises(DoesNotFit):
        move(oncology, lung)


def test_of_two_merged_topics_everything_follows_and_the_old_address_leads_on(
    db: DbSession, calendar: CalendarTool
) -> None:
    mamma, breast = create(db, "Mamma"), create(db, "Breast cancer")
    early = create(db, "Early", mamma)
    both = make_session(db, topics=(mamma, breast))
    one = make_session(db, topics=(mamma,))
    feeds.refresh(db, one, calendar=calendar, now=NOW)

    followed = topic_tree.merge(db, mamma.id, breast.id, actor_id=None, calendar=calendar, now=NOW)

    assert followed == 2
    assert [session.topics for session in (both, one)] == [[breast], [breast]]
    assert (early.parent_id, one.ical_sequence) == (breast.id, 1)
    assert topics.listed(db) == [breast, early]
    assert topics.named(db, ["mamma"]) == [breast]
    feed = calendars.of_topic(db, "mamma")
    assert (feed.of, feed.name, feed.key) == (breast.id, "Breast cancer", "topics/mamma")
    actions = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["topic created"] * 3 + ["topic merged"]


def test_a_topic_merges_into_one_that_stood_below_it(db: DbSession, calendar: CalendarTool) -> None:
    oncology = create(db, "Oncology")
    breast, lung = create(db, "Breast", oncology), create(db, "Lung", oncology)

    topic_tree.merge(db, oncology.id, breast.id, actor_id=None, calendar=calendar, now=NOW)

    assert (breast.parent_id, lung.parent_id) == (None, breast.id)


def test_addresses_lead_on_through_two_merges(db: DbSession, calendar: CalendarTool) -> None:
    first, second, third = create(db, "First"), create(db, "Second"), create(db, "Third")

    for topic, into in ((first, second), (second, third)):
        topic_tree.merge(db, topic.id, into.id, actor_id=None, calendar=calendar, now=NOW)

    assert calendars.of_topic(db, "first").of == third.id


def test_a_new_topic_of_a_merged_ones_name_has_an_address_of_its_own(
    db: DbSession, calendar: CalendarTool
) -> None:
    mamma, breast = create(db, "Mamma"), create(db, "Breast cancer")
    topic_tree.merge(db, mamma.id, breast.id, actor_id=None, calendar=calendar, now=NOW)

    assert create(db, "Mamma").slug == "mamma-2"


def test_only_what_nothing_hangs_on_is_removed(db: DbSession) -> None:
    oncology = create(db, "Oncology")
    breast = create(db, "Breast", oncology)
    make_session(db, topics=(breast,))
    lung = create(db, "Lung", oncology)

    topic_tree.remove(db, lung.id, actor_id=None, now=NOW)

    assert topics.listed(db) == [breast, oncology]
    for topic in (oncology, breast):
        with pytest.raises(TopicInUse):
            topic_tree.remove(db, topic.id, actor_id=None, now=NOW)


def test_the_feed_of_a_topic_holds_what_is_below_it(db: DbSession, calendar: CalendarTool) -> None:
    oncology = create(db, "Oncology")
    breast = create(db, "Breast", oncology)
    session = make_session(db, topics=(breast,))
    feeds.refresh(db, session, calendar=calendar, now=NOW)

    found = calendars.events(
        db, calendars.of_topic(db, "oncology"), now=NOW, home_zone="Europe/Zurich"
    )

    assert [event.vevent for event in found] == [session.ical_public.encode()]
