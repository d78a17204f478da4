"""What one can choose on the schedule, and the addresses that keep a choice or take it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import g, request, url_for

from webinar.domain.languages import name_of
from webinar.domain.session_details import SessionLevel
from webinar.services import schedule_filters
from webinar.services.schedule_filters import Of, Offered
from webinar.web.subscriptions import Subscription, subscription

# Every wish an address can hold; other words in it mean nothing.
NAMES = (
    "q",
    "series",
    "topic",
    "society",
    "credit",
    "language",
    "level",
    "audience",
    "when",
    "view",
    "month",
    "page",
)
# Feeds know one of these at a time, and nothing else.
FED = ("series", "topic", "society")
LONGEST_QUESTION = 200


@dataclass(frozen=True)
class Filter:
    """One group of chips. `chosen` is a slug that may not be among the choices any more."""

    label: str
    name: str
    chosen: str
    choices: list[Offered]

    def items(self) -> list[tuple[str, str, bool, int | None]]:
        """Label, address, whether chosen, how many ahead; a chosen one leads back."""
        return [
            (
                choice.name,
                address(**{self.name: "" if choice.slug == self.chosen else choice.slug}),
                choice.slug == self.chosen,
                choice.ahead or None,
            )
            for choice in self.choices
        ]


@dataclass(frozen=True)
class Choices:
    """The groups at the head of the schedule: those many ask for, and the rest behind a word."""

    usual: list[Filter]
    more: list[Filter]

    @property
    def has_more_chosen(self) -> bool:
        """True if one behind the word is chosen: then they are shown."""
        return any(group.chosen for group in self.more)


def wanted() -> Of:
    """What the address asks for."""
    args = request.args
    return Of(
        society=args.get("society", ""),
        series=args.get("series", ""),
        topic=args.get("topic", ""),
        audience=args.get("audience", ""),
        language=args.get("language", ""),
        level=args.get("level", ""),
        has_credit=bool(args.get("credit")),
        words=args.get("q", "").strip()[:LONGEST_QUESTION],
    )


def address(**changes: str) -> str:
    """This page with other choices; "" takes one away. A new choice begins at the first page."""
    chosen = _chosen()
    if "page" not in changes:
        chosen["page"] = ""
    return _path(chosen | changes)


def kept() -> list[tuple[str, str]]:
    """What a new search keeps of the address."""
    return [
        (name, value) for name, value in _chosen().items() if value and name not in ("q", "page")
    ]


def choices(of: Of) -> Choices:
    """Every group with something to choose, or with a choice to take back."""
    languages, levels = schedule_filters.languages_and_levels(g.db, now=g.now)
    credit = [Offered("yes", "With CME credit", 0)]
    usual = [
        Filter("Series", "series", of.series, schedule_filters.series_offered(g.db, now=g.now)),
        Filter("Topic", "topic", of.topic, schedule_filters.topics_offered(g.db, now=g.now)),
        Filter(
            "Society", "society", of.society, schedule_filters.societies_offered(g.db, now=g.now)
        ),
    ]
    more = [
        Filter("Language", "language", of.language, _languages(languages)),
        Filter("Level", "level", of.level, _levels(levels)),
        Filter("For", "audience", of.audience, schedule_filters.audiences_offered(g.db, now=g.now)),
    ]
    return Choices(
        [*(group for group in usual if len(group.choices) > 1 or group.chosen)]
        + (
            [Filter("Credit", "credit", "yes" if of.has_credit else "", credit)]
            if languages
            else []
        ),
        [
            group
            for group in more
            if group.chosen or len(group.choices) > (1 if group.name == "language" else 0)
        ],
    )


def feed_of(found: Choices) -> Subscription:
    """The feed of what is shown, if there is one that says just that; else of everything."""
    chosen = [
        (group.name, choice)
        for group in found.usual
        for choice in group.choices
        if group.name in FED and choice.slug == group.chosen
    ]
    if len(chosen) != 1:
        return subscription("all sessions", "feeds.everything")
    name, choice = chosen[0]
    return subscription(choice.name, f"feeds.{name}", slug=choice.slug)


def _languages(ahead: Mapping[str, int]) -> list[Offered]:
    found = [Offered(code, name_of(code), number) for code, number in ahead.items()]
    return sorted(found, key=lambda offered: offered.name)


def _levels(ahead: Mapping[str, int]) -> list[Offered]:
    return [
        Offered(level.value, level.value.capitalize(), ahead[level.value])
        for level in SessionLevel
        if level.value in ahead
    ]


def _chosen() -> dict[str, str]:
    return {name: request.args.get(name, "") for name in NAMES}


def _path(chosen: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value})
    return url_for("sessions.index") + (f"?{query}" if query else "")
