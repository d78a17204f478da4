"""`series plan --json` against dates worked out another way: python-dateutil and zoneinfo alone.

The other way shares no line with the planner: rules are read by dateutil, wall times are looked at
twice (PEP 495), and a refusal has to be foreseen with its reason and its day.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from flask import Flask

from tests.builders import NOW, make_society
from webinar.db import DbSession
from webinar.models import PlanningRule, Series, SeriesException

SEED = 2024_2036
SERIES = 200
MOST_DATES = 500
FIRST, LAST = date(2024, 1, 1), date(2036, 12, 31)
ZONES = (
    "Europe/Zurich",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Sydney",
)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Case:
    """A series as it is asked for; clocks change on Sundays and in the night, so do these."""

    zone: str
    rules: tuple[str, ...]
    starts: tuple[time, ...]
    minutes: int
    first_day: date
    until: date
    breaks: frozenset[date]


class Refused(Exception):
    """The plan cannot be made; the message is how the refusal begins."""


def cases() -> list[Case]:
    chance = random.Random(SEED)  # noqa: S311 -- the same rules at every run
    return [_case(chance, ZONES[number % len(ZONES)]) for number in range(SERIES)]


def _case(chance: random.Random, zone: str) -> Case:
    first_day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days - 30))
    until = min(LAST, first_day + timedelta(days=chance.randrange(20, 3 * 366)))
    several = 2 if chance.random() < 0.2 else 1
    span = (until - first_day).days
    by_night = chance.random() < 0.4
    return Case(
        zone=zone,
        rules=tuple(_rule(chance, first_day, until, by_night=by_night) for _ in range(several)),
        starts=tuple(_start(chance, by_night=by_night) for _ in range(several)),
        minutes=chance.choice((15, 45, 60, 90, 720)),
        first_day=first_day,
        until=until,
        breaks=frozenset(
            first_day + timedelta(days=chance.randrange(span + 1))
            for _ in range(chance.choice((0, 0, 30)))
        ),
    )


def _rule(chance: random.Random, first_day: date, until: date, *, by_night: bool) -> str:
    day, every = chance.choice(DAYS), chance.randrange(2, 5)
    nth = chance.choice((1, 2, 3, 4, 5, -1, -2))
    sundays = (
        "FREQ=WEEKLY;BYDAY=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU",
        f"FREQ=MONTHLY;BYDAY={chance.choice((1, 2, -1))}SU",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
    )
    usual = (
        f"FREQ=WEEKLY;BYDAY={day}",
        f"FREQ=WEEKLY;INTERVAL={every};BYDAY={day},{chance.choice(DAYS)}",
        "FREQ=WEEKLY",
        f"FREQ=WEEKLY;BYDAY={day};BYMONTH=3,4,9,10,11",
        f"FREQ=MONTHLY;BYDAY={nth}{day}",
        f"FREQ=MONTHLY;INTERVAL={every};BYDAY={chance.choice((1, 2, -1))}{day}",
        f"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={chance.choice((1, 2, -1))}",
        f"FREQ=MONTHLY;BYMONTHDAY={chance.choice((1, 15, 28, -1, -7))}",
        f"FREQ=DAILY;INTERVAL={chance.choice((1, 2, 10))}",
    )
    rule = chance.choice(sundays if by_night else usual)
    ends = chance.random()
    if ends < 0.2:
        return f"{rule};COUNT={chance.randrange(1, 60)}"
    if ends < 0.3:
        last = first_day + timedelta(days=chance.randrange((until - first_day).days + 60))
        return f"{rule};UNTIL={last:%Y%m%d}T235959"
    return rule


def _start(chance: random.Random, *, by_night: bool) -> time:
    if by_night:
        return time(chance.choice((0, 1, 1, 2, 2, 3)), chance.choice((0, 15, 30, 45)))
    return time(chance.randrange(24), chance.choice((0, 15, 30)))


def worked_out(case: Case) -> list[dict[str, str]]:
    """What has to be printed; raises Refused with how the refusal begins."""
    by_day: dict[date, datetime] = {}
    named_any = False
    for text, start in zip(case.rules, case.starts, strict=True):
        rule = rrulestr(text, dtstart=datetime.combine(case.first_day, start))
        walls = list(takewhile(lambda wall: wall.date() <= case.until, rule))
        if len(walls) > MOST_DATES:
            raise Refused(f"The rule names more than {MOST_DATES} dates.")
        walls = [wall for wall in walls if wall.date() not in case.breaks]
        named_any = named_any or bool(walls)
        for wall in walls:
            once = _ensured(wall, case.zone)
            by_day.setdefault(wall.date(), once)
    if not named_any:
        raise Refused("The rule names no date from ")
    if len(by_day) > MOST_DATES:
        raise Refused(f"The rule names more than {MOST_DATES} dates.")
    zone, length = ZoneInfo(case.zone), timedelta(minutes=case.minutes)
    printed = []
    for _, wall in sorted(by_day.items()):
        starts_at = wall.replace(tzinfo=zone).astimezone(UTC)
        printed.append(
            {
                "starts_at": f"{starts_at:%Y-%m-%dT%H:%M:%S}Z",
                "ends_at": f"{starts_at + length:%Y-%m-%dT%H:%M:%S}Z",
                "local": wall.isoformat(),
                "zone": case.zone,
            }
        )
    return printed


def foreseen(case: Case) -> list[dict[str, str]] | Refused:
    """What has to be printed, or the refusal."""
    try:
        return worked_out(case)
    except Refused as refusal:
        return refusal


def _ensured(wall: datetime, name: str) -> datetime:
    """The wall time, if the clocks of the zone show it exactly once."""
    zone = ZoneInfo(name)
    shown = {
        instant
        for fold in (0, 1)
        if (instant := wall.replace(tzinfo=zone, fold=fold).astimezone(UTC))
        .astimezone(zone)
        .replace(tzinfo=None, fold=0)
        == wall
    }
    if len(shown) == 1:
        return wall
    spoken = f"{wall:%H:%M} on {wall.day} {wall:%B %Y}"
    raise Refused(f"{spoken} {'happens twice' if shown else 'does not exist'} in {name}:")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_hundred_rules_in_twelve_zones_are_planned_as_by_another_hand(
    app: Flask, db: DbSession
) -> None:
    asked = cases()
    society = make_society(db)
    db.add_all(
        Series(
            slug=f"series-{number}",
            society=society,
            name="Rounds",
            zone=case.zone,
            created_at=NOW,
            rules=[
                PlanningRule(
                    rule=rule,
                    local_start=start,
                    duration_minutes=case.minutes,
                    first_day=case.first_day,
                )
                for rule, start in zip(case.rules, case.starts, strict=True)
            ],
            exceptions=[SeriesException(day=day, reason="Rest") for day in case.breaks],
        )
        for number, case in enumerate(asked)
    )
    db.commit()
    runner = app.test_cli_runner()
    planned, refused = 0, []
    for number, case in enumerate(asked):
        result = runner.invoke(
            args=[
                "series", "plan", f"series-{number}", "--until", case.until.isoformat(),
                "--dry-run", "--json",
            ]
        )  # fmt: skip
        dates = foreseen(case)
        if isinstance(dates, Refused):
            assert result.output.startswith(f"Error: {dates}"), case
            refused.append(str(dates))
        else:
            assert result.exit_code == 0, (case, result.output)
            assert json.loads(result.output) == dates, case
            planned += len(dates)

    # The rules are varied enough to have met everything.
    assert planned > 5_000
    assert sum("does not exist" in words for words in refused) >= 5
    assert sum("happens twice" in words for words in refused) >= 5
    assert sum("no date" in words for words in refused) >= 1
    assert sum("more than" in words for words in refused) >= 1
