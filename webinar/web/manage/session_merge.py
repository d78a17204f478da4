"""Two people edited one session: what each changed, field by field, and both put together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

from webinar.domain.wording import MONTHS, WEEKDAYS, city_of_zone
from webinar.web.manage.series_form import day
from webinar.web.manage.session_form import LANGUAGES, LEVELS, Typed, TypedMember

LABELS = {
    "title": "Title",
    "abstract": "Abstract",
    "objectives": "Learning objectives",
    "topics": "Topics",
    "language": "Language",
    "level": "Level",
    "audience": "Made for",
    "when": "When",
}
MEMBER_LABELS = {
    field.name: field.name.capitalize() for field in fields(TypedMember) if field.name != "id"
} | {"email": "E-mail"}
TIME_FACTS = ("starts_at", "ends_at", "zone")


class Side(StrEnum):
    """Whose words stand."""

    THEIRS = "theirs"
    MINE = "mine"


Value = str | tuple[str, ...] | TypedMember | None


@dataclass(frozen=True)
class Difference:
    """A field that says two things; `picked` is None while both changed it and nobody chose."""

    key: str
    label: str
    theirs: str
    mine: str
    picked: Side | None
    is_clash: bool

    @property
    def facts(self) -> tuple[str, ...]:
        """The names under which the audit trail keeps this field."""
        if self.key.startswith("member-"):
            return ("faculty",)
        return TIME_FACTS if self.key == "when" else (self.key,)


def differences(
    base: Typed, theirs: Typed, mine: Typed, picks: Mapping[str, str]
) -> list[Difference]:
    """Each field in which the two versions differ; `picks` are the sides chosen so far."""
    found = []
    for key, label, (old, now, new) in _compared(base, theirs, mine):
        if now == new:
            continue
        is_clash = old not in (now, new)
        picked = None if is_clash else Side.THEIRS if new == old else Side.MINE
        if picks.get(key) in set(Side):
            picked = Side(picks[key])
        found.append(Difference(key, label, _words(key, now), _words(key, new), picked, is_clash))
    return found


def has_clash(base: Typed, theirs: Typed, mine: Typed) -> bool:
    """True if both changed the same field to different words."""
    return any(difference.is_clash for difference in differences(base, theirs, mine, {}))


def merged(base: Typed, theirs: Typed, mine: Typed, picks: Mapping[str, str]) -> Typed:
    """Their version with my changes; where both changed a field and nobody chose, mine."""
    found = differences(base, theirs, mine, picks)
    from_me = {difference.key for difference in found if difference.picked is not Side.THEIRS}
    result = replace(theirs, topics=theirs.all_topics, more_topics="")
    for name in ("title", "abstract", "objectives", "language", "level"):
        if name in from_me:
            result = replace(result, **{name: getattr(mine, name)})
    if "topics" in from_me:
        result = replace(result, topics=mine.all_topics)
    if "audience" in from_me:
        result = replace(result, audience=mine.audience)
    if "when" in from_me:
        times = {name: getattr(mine, name) for name in ("day", "starts", "ends", "zone")}
        result = replace(result, **times)
    _, now, new = _people(base, theirs, mine)
    people = []
    for key in dict.fromkeys((*now, *new)):
        there, here = now.get(key), new.get(key)
        if there is not None and here is not None:
            taken = [name for name in MEMBER_LABELS if f"member-{key}-{name}" in from_me]
            people.append(replace(there, **{name: getattr(here, name) for name in taken}))
        elif (chosen := here if f"member-{key}" in from_me else there) is not None:
            people.append(chosen)
    return replace(result, faculty=tuple(people))


def _compared(
    base: Typed, theirs: Typed, mine: Typed
) -> Iterator[tuple[str, str, tuple[Value, Value, Value]]]:
    """Key, label, and what the field was, is and would be: what is chosen one by one."""
    for name, label in LABELS.items():
        yield name, label, (_value(base, name), _value(theirs, name), _value(mine, name))
    old, now, new = _people(base, theirs, mine)
    for key in dict.fromkeys((*old, *now, *new)):
        was, there, here = old.get(key), now.get(key), new.get(key)
        person = there or here or was
        name = person.name if person else ""
        if there is None or here is None:
            yield f"member-{key}", f"Faculty: {name}", (was, there, here)
            continue
        for field, label in MEMBER_LABELS.items():
            before = getattr(was, field) if was else None
            yield (
                f"member-{key}-{field}",
                f"{label} of {name}",
                (before, getattr(there, field), getattr(here, field)),
            )


def _value(typed: Typed, name: str) -> Value:
    match name:
        case "when":
            return (typed.day, typed.starts, typed.ends, typed.zone)
        case "topics":
            return tuple(sorted(typed.all_topics))
        case "audience":
            return tuple(sorted(typed.audience))
    return str(getattr(typed, name))


def _people(*versions: Typed) -> list[dict[str, TypedMember]]:
    """Each version's faculty by id; a row of mine without one may be a person of theirs."""
    base, theirs, mine = (
        {member.id or f"new{number}": member for number, member in enumerate(version.faculty)}
        for version in versions
    )
    unmatched = [key for key in theirs if key not in mine]
    for key in [key for key in mine if key.startswith("new")]:
        twin = next((other for other in unmatched if _is_same(mine[key], theirs[other])), None)
        if twin is not None:
            mine[twin] = replace(mine.pop(key), id=theirs[twin].id)
            unmatched.remove(twin)
    return [base, theirs, mine]


def _is_same(one: TypedMember, other: TypedMember) -> bool:
    if one.email and other.email:
        return one.email.casefold() == other.email.casefold()
    return (one.part, one.name.casefold()) == (other.part, other.name.casefold())


def _words(key: str, value: Value) -> str:
    """A value as it is shown beside the other; "" is nothing."""
    match value:
        case None:
            return ""
        case TypedMember():
            said = (value.part.capitalize(), value.name, value.affiliation, value.email)
            return "\n".join([", ".join(word for word in said if word), value.disclosure]).strip()
        case tuple() if key == "when":
            return when_words(*value)
        case tuple():
            return ", ".join(value)
    if key == "language":
        return dict(LANGUAGES).get(value, value)
    if key == "level":
        return dict(LEVELS).get(value, value)
    return value.capitalize() if key.endswith("-part") else value


def when_words(on: str, starts: str, ends: str, zone: str) -> str:
    """`Thu 26 Nov 2026, 18:15–19:00, Zurich time`; what makes no sense as it was typed."""
    date = day(on)
    if date is None:
        return f"{on}, {starts}–{ends}, {zone}"
    spoken = f"{WEEKDAYS[date.weekday()]} {date.day} {MONTHS[date.month - 1]} {date.year}"
    return f"{spoken}, {starts}–{ends}, {city_of_zone(zone)} time"
