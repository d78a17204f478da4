"""The gate before people: what a session needs to be announced, and to go on air."""

from dataclasses import dataclass

from webinar.domain.session import FacultyPart
from webinar.domain.session_details import UNTITLED, NotReady


@dataclass(frozen=True)
class GateFacts:
    """What the gate looks at.

    `undisclosed` names those whose disclosure is not in, `unmitigated` those who disclosed
    relations of which nobody has said yet what is done about them.
    """

    title: str
    abstract: str
    objectives: str
    parts: frozenset[FacultyPart]
    undisclosed: tuple[str, ...]
    unmitigated: tuple[str, ...] = ()


def missing_before_publishing(facts: GateFacts) -> list[str]:
    """What still has to be said before the session can be announced, in words."""
    missing = []
    if not facts.title.strip() or facts.title.strip() == UNTITLED:
        missing.append("a title")
    if not facts.abstract.strip():
        missing.append("an abstract")
    if not facts.objectives.strip():
        missing.append("learning objectives")
    if FacultyPart.PRESENTER not in facts.parts:
        missing.append("a presenter")
    missing += [f"the disclosure of {name}" for name in facts.undisclosed]
    missing += [f"what is done about the relations of {name}" for name in facts.unmitigated]
    return missing


def ensure_may_publish(facts: GateFacts, override_reason: str = "") -> None:
    """Raise NotReady with a sentence that says what is missing, unless somebody says why not."""
    missing = missing_before_publishing(facts)
    if missing and not override_reason.strip():
        raise NotReady(f"The session still needs {in_words(missing)} before people can see it.")


def may_go_live(parts: frozenset[FacultyPart]) -> bool:
    """True if somebody is there to read the questions of the audience."""
    return FacultyPart.MODERATOR in parts


def ensure_may_go_live(parts: frozenset[FacultyPart]) -> None:
    """Raise NotReady with a sentence if nobody moderates."""
    if not may_go_live(parts):
        raise NotReady(
            "The session has no moderator, so nobody would read the questions of the audience. "
            "Ask the organiser to name one; then go live."
        )


def in_words(things: list[str]) -> str:
    """A list as it is read aloud: "a title, an abstract and a presenter"."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} and {things[-1]}"
