"""One text per value, for hashes that hold for years."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from webinar.domain.figures import plain_credit
from webinar.domain.span import Span, union

_Json = str | int | bool | list["_Json"] | dict[str, "_Json"] | None


def canonical_json(value: object) -> str:
    """Compact JSON with sorted keys. Spans enter as their union, 1.0 as 1, instants in UTC.

    Fields that have their default stay out: a field added later leaves old hashes as they are.
    """
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _canonical(value: object) -> _Json:
    match value:
        case None | bool() | int():
            return value
        case StrEnum() | str():
            return str(value)
        case Decimal():
            return plain_credit(value)
        case Fraction():
            return f"{value.numerator}/{value.denominator}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Span():
            return [_canonical(value.start), _canonical(value.end)]
        case date():
            return value.isoformat()
        case tuple():
            return [_canonical(item) for item in _without_overlaps(value)]
        case Mapping():
            return {str(key): _canonical(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _canonical(getattr(value, field.name))
            for field in fields(value)
            if field.metadata.get("hashed", True) and getattr(value, field.name) != field.default
        }
    raise ValueError(f"no canonical form for {value!r}")


def _without_overlaps(items: tuple[object, ...]) -> list[object]:
    spans = [item for item in items if isinstance(item, Span)]
    return list(union(spans)) if len(spans) == len(items) else list(items)
