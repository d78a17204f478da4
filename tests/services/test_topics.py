import pytest

from webinar.db import DbSession
from webinar.services import topics
from webinar.services.topics import UnusableTopic


def test_topics_are_made_once_whatever_the_case(db: DbSession) -> None:
    first = topics.named(db, ["Breast cancer", " Lung  cancer "])
    second = topics.named(db, ["breast CANCER", "Lung cancer", "lung cancer"])

    assert [topic.name for topic in first] == ["Breast cancer", "Lung cancer"]
    assert second == first
    assert topics.listed(db) == first


def test_a_topic_without_letters_is_refused(db: DbSession) -> None:
    with pytest.raises(UnusableTopic, match="'--' cannot be a topic"):
        topics.named(db, ["Breast cancer", "--"])
