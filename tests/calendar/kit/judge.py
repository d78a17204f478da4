"""Do calendar programs show this feed as it is meant? Judged without the library that wrote it."""

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import playwright

from tests.calendar.kit.content_lines import judge_octets, read
from tests.calendar.kit.rules import judge_calendar

_READER = Path(__file__).with_name("read_feed.mjs")
# Playwright brings the Node that runs it, so the tests need none of the system's.
_NODE = Path(playwright.__file__).parent / "driver/node"


@dataclass(frozen=True, order=True)
class ExpectedEvent:
    """One session as a reader must see it; write it from the plan, never from the feed."""

    start: datetime
    end: datetime
    summary: str
    status: str = "CONFIRMED"


def judge_feed(content: bytes, expected: Sequence[ExpectedEvent]) -> list[str]:
    """Complaints about a feed: its bytes, its rules, and what Thunderbird's parser makes of it.

    `expected` is the whole list: an event too many is as wrong as one too few.
    """
    return _judge(content, expected, single=False)


def judge_single(content: bytes, expected: ExpectedEvent) -> list[str]:
    """Complaints about the calendar file of one session."""
    return _judge(content, [expected], single=True)


def _judge(content: bytes, expected: Sequence[ExpectedEvent], *, single: bool) -> list[str]:
    complaints = judge_octets(content)
    calendars, unreadable = read(content)
    complaints += unreadable
    if [calendar.name for calendar in calendars] != ["VCALENDAR"]:
        return [*complaints, "it is not exactly one VCALENDAR"]
    complaints += judge_calendar(calendars[0], single=single)
    shown, problems = _as_thunderbird_reads_it(content)
    complaints += problems
    wanted = Counter(_as_shown(event) for event in expected)
    complaints += [f"missing: {event}" for event in sorted(wanted - shown)]
    complaints += [f"not expected: {event}" for event in sorted(shown - wanted)]
    return complaints


def _as_thunderbird_reads_it(content: bytes) -> tuple[Counter[str], list[str]]:
    result = subprocess.run([_NODE, _READER], input=content, capture_output=True, timeout=60)
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip().splitlines()
        error = next((line.strip() for line in words if "Error:" in line), "it crashed")
        return Counter(), [f"ical.js cannot read it: {error}"]
    answer = json.loads(result.stdout)
    events = Counter(
        " ".join(str(event[name]) for name in ("start", "end", "status", "summary"))
        for event in answer["events"]
    )
    return events, answer["problems"]


def _as_shown(event: ExpectedEvent) -> str:
    start, end = (f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (event.start, event.end))
    return f"{start} {end} {event.status} {event.summary}"
