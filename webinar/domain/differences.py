"""What changed between two states, for a person to read: name by name, was and is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One thing that changed; "" if it was not there before, or is not there any more."""

    name: str
    was: str
    now: str


def differences(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[Difference]:
    """What is different, in the order of the names as they were written down."""
    was, is_now = before or {}, after or {}
    found = (
        Difference(name.replace("_", " "), _words(was.get(name)), _words(is_now.get(name)))
        for name in dict.fromkeys((*was, *is_now))
    )
    return [one for one in found if one.was != one.now]


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case list():
            return ", ".join(_words(item) for item in value)
        case dict():
            return "; ".join(f"{name}: {_words(item)}" for name, item in value.items())
    return json.dumps(value, ensure_ascii=False)
