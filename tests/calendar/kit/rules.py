"""What a feed of ours must and must not hold, component by component.

The rules are RFC 5545, 5546 and 7986, and what Google, Outlook, Apple and Home Assistant choke on.
"""

import re
from collections import Counter
from itertools import chain

from tests.calendar.kit.content_lines import Component, Property

_TEXTS = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "NAME", "X-WR-CALNAME"})
_LISTS_OF_TEXTS = frozenset({"CATEGORIES"})
_STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
_ONCE_IN_EVENT = (
    *("UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"),
    *("DTSTART", "DTEND", "SUMMARY", "STATUS", "TRANSP"),
)
# A feed states facts: no invitation, no alarm, no rule to expand, nothing that programs strip.
_NEVER_IN_EVENT = (
    *("ORGANIZER", "ATTENDEE", "ATTACH", "X-ALT-DESC", "DURATION"),
    *("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
)
_CALENDAR_NAMES = ("NAME", "X-WR-CALNAME")


def judge_calendar(calendar: Component, *, single: bool) -> list[str]:
    """Complaints about one VCALENDAR; `single` is a download of one session, not a feed."""
    complaints = [
        *_count_is_one(calendar, "VERSION", "PRODID"),
        *chain.from_iterable(map(_judge_values, calendar.walk())),
        *_judge_zones(calendar),
        *chain.from_iterable(map(_judge_event, calendar.named("VEVENT"))),
    ]
    if calendar.value("VERSION") not in ("", "2.0"):
        complaints.append(f"VERSION is {calendar.value('VERSION')}, not 2.0")
    if calendar.all("METHOD"):
        complaints.append("METHOD belongs into mails: programs ask for an answer to it")
    for name in _CALENDAR_NAMES:
        if single and calendar.all(name):
            complaints.append(f"{name} in a single event makes Outlook open a new calendar")
        if not single and len(calendar.all(name)) != 1:
            complaints.append(f"a feed has {name} once")
    for uid, count in Counter(event.value("UID") for event in calendar.named("VEVENT")).items():
        if count > 1:
            complaints.append(f"UID {uid} stands {count} times")
    return complaints


def _judge_event(event: Component) -> list[str]:
    uid = event.value("UID")
    complaints = [
        *_count_is_one(event, *_ONCE_IN_EVENT),
        *(f"{name} in an event of a feed" for name in _NEVER_IN_EVENT if event.all(name)),
        *(f"{child.name} in an event of a feed" for child in event.children),
    ]
    if len(uid.encode()) > 255:
        complaints.append("a UID is longer than 255 octets")
    if not re.fullmatch(r"\d+", event.value("SEQUENCE") or "0"):
        complaints.append(f"SEQUENCE is {event.value('SEQUENCE')}, not a number")
    if event.value("DTSTAMP") != event.value("LAST-MODIFIED"):
        complaints.append("DTSTAMP differs from LAST-MODIFIED: it says when it was last revised")
    status = event.value("STATUS")
    if status not in ("", "CONFIRMED", "CANCELLED"):
        complaints.append(f"STATUS is {status}, not CONFIRMED or CANCELLED")
    if status == "CANCELLED" and not event.value("SUMMARY").startswith("Cancelled: "):
        complaints.append("Outlook ignores STATUS, so a cancelled SUMMARY begins with Cancelled:")
    if status == "CANCELLED" and event.value("TRANSP") != "TRANSPARENT":
        complaints.append("a cancelled event blocks the reader's time")
    for name in ("DTSTART", "DTEND"):
        complaints.extend(chain.from_iterable(map(_judge_time, event.all(name))))
    return [f"{complaint} (UID {uid})" for complaint in complaints]


def _judge_time(time: Property) -> list[str]:
    in_utc = time.value.endswith("Z")
    in_zone = "TZID" in time.parameters
    if not re.fullmatch(r"\d{8}T\d{6}Z?", time.value):
        return [f"{time.name} is {time.value}, not a date and time"]
    if in_utc and in_zone:
        return [f"{time.name} has both TZID and Z"]
    if not in_utc and not in_zone:
        return [f"{time.name} floats: it has neither TZID nor Z"]
    return []


def _judge_zones(calendar: Component) -> list[str]:
    complaints = []
    defined = Counter(zone.value("TZID") for zone in calendar.named("VTIMEZONE"))
    used = {
        each.parameters["TZID"]
        for event in calendar.named("VEVENT")
        for each in event.properties
        if "TZID" in each.parameters
    }
    complaints += [f"{zone} has no VTIMEZONE" for zone in sorted(used - defined.keys())]
    complaints += [f"{zone} is defined {n} times" for zone, n in defined.items() if n > 1]
    if not calendar.children:
        complaints.append("a calendar without any component: keep VTIMEZONE when it has no events")
    for zone in calendar.named("VTIMEZONE"):
        complaints += _count_is_one(zone, "TZID")
        if not zone.children:
            complaints.append(f"VTIMEZONE {zone.value('TZID')} says nothing")
        for part in zone.children:
            complaints += _count_is_one(part, "DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
            if part.all("RDATE"):
                complaints.append(
                    "VTIMEZONE lists RDATEs: Outlook and Thunderbird show wrong hours"
                )
    return complaints


def _judge_values(component: Component) -> list[str]:
    return list(chain.from_iterable(map(_judge_value, component.properties)))


def _judge_value(item: Property) -> list[str]:
    complaints = []
    if item.name in _TEXTS | _LISTS_OF_TEXTS:
        plain = re.sub(r"\\[\\;,nN]", "", item.value)
        if "\\" in plain:
            complaints.append(f"{item.name} has a backslash that escapes nothing")
        if ";" in plain or ("," in plain and item.name in _TEXTS):
            complaints.append(f"{item.name} has a comma or semicolon that is not escaped")
    if item.name in _STAMPS and not re.fullmatch(r"\d{8}T\d{6}Z", item.value):
        complaints.append(f"{item.name} is {item.value}, not in UTC")
    if item.name == "REFRESH-INTERVAL" and item.parameters.get("VALUE") != "DURATION":
        complaints.append("REFRESH-INTERVAL without VALUE=DURATION")
    if item.name == "CONFERENCE" and item.parameters.get("VALUE") != "URI":
        complaints.append("CONFERENCE without VALUE=URI")
    return complaints


def _count_is_one(component: Component, *names: str) -> list[str]:
    return [
        f"{component.name} has {name} {len(component.all(name))} times, not once"
        for name in names
        if len(component.all(name)) != 1
    ]
