"""The forms in which one programme is sent: whole, small, and as sound alone."""

from enum import StrEnum

from webinar.domain.errors import DomainError


class Rendition(StrEnum):
    """What a viewer may choose. All of them carry the same programme time."""

    MAIN = "main"
    LOW = "low"
    AUDIO = "audio"


def renditions_of(setting: str) -> tuple[Rendition, ...]:
    """What is encoded, from a setting such as "main,low,audio"; main always, and first."""
    names = {name.strip() for name in setting.split(",") if name.strip()}
    if unknown := names - set(Rendition):
        raise DomainError(
            f"WEBINAR_RENDITIONS names {', '.join(sorted(unknown))}. "
            f"Choose from {', '.join(Rendition)}."
        )
    return tuple(one for one in Rendition if one is Rendition.MAIN or one in names)
