"""What the demonstration season is about: talks and people, read from the TOML beside this file."""

import tomllib
from dataclasses import dataclass
from importlib import resources

from webinar.domain.session import FacultyPart
from webinar.domain.session_details import FacultyDetails


@dataclass(frozen=True)
class Question:
    """An item of a self-assessment test; `right` is the place of the right option."""

    text: str
    options: tuple[str, ...]
    right: int
    comment: str


@dataclass(frozen=True)
class Talk:
    """What a session is about. `test` is empty for most."""

    title: str
    topic: str
    abstract: str
    objectives: tuple[str, ...]
    test: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Lecturer:
    """An invented person of the faculty; moderators speak about no topic of their own."""

    name: str
    affiliation: str
    disclosure: str
    topics: tuple[str, ...] = ()

    def in_part(self, part: FacultyPart) -> FacultyDetails:
        """The person as a member of a session's faculty."""
        return FacultyDetails(part, self.name, self.affiliation, self.disclosure)


@dataclass(frozen=True)
class Attendee:
    """An invented person who takes part."""

    name: str
    country: str
    profession: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Everything said in the season: of what has been the latest first, of what comes the next."""

    rounds_past: tuple[Talk, ...]
    rounds_ahead: tuple[Talk, ...]
    reviews_past: tuple[Talk, ...]
    reviews_ahead: tuple[Talk, ...]
    lecturers: tuple[Lecturer, ...]
    moderators: tuple[Lecturer, ...]
    attendees: tuple[Attendee, ...]

    @property
    def topics(self) -> frozenset[str]:
        """What the talks are about."""
        talks = (*self.rounds_past, *self.rounds_ahead, *self.reviews_past, *self.reviews_ahead)
        return frozenset(talk.topic for talk in talks)

    def faculty_of(self, talk: Talk, number: int) -> tuple[FacultyDetails, ...]:
        """Presenter, discussant and moderator of a talk; `number` makes them take turns."""
        able = [person for person in self.lecturers if talk.topic in person.topics]
        return (
            able[number % len(able)].in_part(FacultyPart.PRESENTER),
            able[(number + 1) % len(able)].in_part(FacultyPart.DISCUSSANT),
            self.moderators[number % len(self.moderators)].in_part(FacultyPart.MODERATOR),
        )


def programme() -> Programme:
    """The whole programme, as written."""
    reviews, people = _read("reviews"), _read("people")
    return Programme(
        rounds_past=_talks(_read("rounds_past")["talks"]),
        rounds_ahead=_talks(_read("rounds_ahead")["talks"]),
        reviews_past=_talks(reviews["past"]),
        reviews_ahead=_talks(reviews["ahead"]),
        lecturers=tuple(_lecturer(entry) for entry in people["faculty"]),
        moderators=tuple(_lecturer(entry) for entry in people["moderators"]),
        attendees=tuple(
            Attendee(
                str(entry["name"]),
                str(entry["country"]),
                str(entry["profession"]),
                str(entry["zone"]),
            )
            for entry in people["participants"]
        ),
    )


Table = dict[str, object]


def _read(name: str) -> dict[str, list[Table]]:
    return tomllib.loads(resources.files("webinar.demo").joinpath(f"{name}.toml").read_text("utf8"))


def _talks(entries: list[Table]) -> tuple[Talk, ...]:
    return tuple(
        Talk(
            title=str(entry["title"]),
            topic=str(entry["topic"]),
            abstract=str(entry["abstract"]),
            objectives=_texts(entry["objectives"]),
            test=_questions(entry.get("test", [])),
        )
        for entry in entries
    )


def _questions(entries: object) -> tuple[Question, ...]:
    if not isinstance(entries, list):
        raise TypeError("a test is a list of tables")
    return tuple(_question(entry, turn) for turn, entry in enumerate(entries))


def _question(entry: Table, turn: int) -> Question:
    # Turned from item to item, so that the right answer does not always stand at one place.
    options = _texts(entry["options"])
    turned = options[turn % len(options) :] + options[: turn % len(options)]
    right = options[int(str(entry["right"]))]
    return Question(str(entry["text"]), turned, turned.index(right), str(entry["comment"]))


def _lecturer(entry: Table) -> Lecturer:
    return Lecturer(
        name=str(entry["name"]),
        affiliation=str(entry["affiliation"]),
        disclosure=str(entry["disclosure"]),
        topics=_texts(entry.get("topics", [])),
    )


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list of texts, not {value!r}")
    return tuple(str(item) for item in value)
