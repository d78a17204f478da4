"""Who offers the demonstration season, and what the two series are about. All invented."""

from collections.abc import Iterable
from datetime import datetime

from webinar.db import DbSession
from webinar.models import Society
from webinar.services import societies, topic_tree

ACADEMY = "European Academy of Oncology (demo)"
SURGEONS = "Society of Surgical Oncology (demo)"
HELLENIC = "Hellenic Oncology Society (demo)"
SPECIALTY = "Oncology"
ABOUT_ROUNDS = (
    "Every Thursday evening a question from the tumour board: a presenter, a discussant who "
    "disagrees where it helps, and a moderator who reads your written questions. Free, without "
    "commercial sponsorship, and to be watched for six months."
)
ABOUT_REVIEWS = (
    "On the first Tuesday of the month one disease from beginning to end: what is settled, what "
    "has changed, what is still open. For those who treat it every day and for those who do not."
)


def societies_of_season(db: DbSession, *, now: datetime) -> list[Society]:
    """The academy that offers everything, and two societies that lend their auspices."""
    return [
        societies.create(
            db,
            slug=slug,
            name=name,
            short_name=short_name,
            about=about,
            country=country,
            actor_id=None,
            now=now,
        )
        for slug, name, short_name, about, country in (
            (
                "academy",
                ACADEMY,
                "Academy (demo)",
                "An invented academy that teaches oncology online, free of charge. "
                "It exists in this demonstration only.",
                "CH",
            ),
            (
                "surgeons",
                SURGEONS,
                "Surgeons (demo)",
                "An invented society of cancer surgeons that lends its auspices to sessions.",
                "BE",
            ),
            (
                "hellenic",
                HELLENIC,
                "Hellenic (demo)",
                "An invented national society that lends its auspices by decision of its board.",
                "GR",
            ),
        )
    ]


def topics_of_season(db: DbSession, names: Iterable[str], *, now: datetime) -> None:
    """All below one specialty: bodies accept a season of one specialty only."""
    root = topic_tree.create(db, name=SPECIALTY, parent_id=None, actor_id=None, now=now)
    for name in sorted(set(names)):
        topic_tree.create(db, name=name, parent_id=root.id, actor_id=None, now=now)
