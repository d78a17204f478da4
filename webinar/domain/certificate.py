"""Certificates: a number nobody guesses and everybody can read out, and the frozen content."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation

from webinar.domain.attendance import ViewingMode
from webinar.domain.canonical import canonical_json
from webinar.domain.errors import DomainError

PREFIX = "WCS"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, so that nothing is misread or spells a word."""
RANDOM_DIGITS = 11
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})


class MalformedNumber(DomainError):
    """What was typed cannot be a certificate's number."""


def new_number(random_bytes: bytes) -> str:
    """`WCS-7K3M-9QXT-4B2H` from at least 7 random bytes: 55 bits and a check digit."""
    if len(random_bytes) < 7:
        raise ValueError("a certificate number takes at least 7 random bytes")
    rest = int.from_bytes(random_bytes, "big")
    digits = []
    for _ in range(RANDOM_DIGITS):
        rest, digit = divmod(rest, 32)
        digits.append(digit)
    return _written([*digits, _check_digit(digits)])


def normalise_number(text: str) -> str:
    """The number as printed, from whatever a person typed; MalformedNumber if it is none.

    Small letters, missing or other dashes, spaces, and O, I, L for 0, 1, 1 are forgiven;
    one wrong character or two that changed places are found.
    """
    compact = "".join(
        character
        for character in unicodedata.normalize("NFKC", text[:100]).upper()
        if not character.isspace() and unicodedata.category(character) != "Pd"
    )
    if len(compact) == RANDOM_DIGITS + 1 + len(PREFIX):
        compact = compact.removeprefix(PREFIX)
    compact = compact.translate(_MISREAD)
    if len(compact) != RANDOM_DIGITS + 1 or not set(compact) <= set(ALPHABET):
        raise MalformedNumber(
            "This is not a certificate number. It looks like WCS-7K3M-9QXT-4B2H "
            "and stands at the foot of the certificate."
        )
    digits = [ALPHABET.index(character) for character in compact]
    if digits[-1] != _check_digit(digits[:-1]):
        raise MalformedNumber(
            "A character of this number is mistyped. Compare it with the certificate and try again."
        )
    return _written(digits)


def _written(digits: list[int]) -> str:
    text = "".join(ALPHABET[digit] for digit in digits)
    return "-".join([PREFIX, text[:4], text[4:8], text[8:]])


def _check_digit(digits: list[int]) -> int:
    # Digit times a different power of 2 for each place, in the field of 32 elements: one
    # changed digit, or any two that changed places, changes the sum.
    total = 0
    for digit in digits:
        total = _doubled(total ^ digit)
    return total


def _doubled(element: int) -> int:
    element <<= 1
    return element ^ 0b100101 if element & 0b100000 else element


@dataclass(frozen=True, kw_only=True)
class CreditLine:
    """What one body gives for this session; it stands alone when a person cuts it out."""

    body: str
    credits: Decimal
    unit: str
    reference: str
    statement: str
    """The accreditor's wording, word for word."""
    basis: str = ""
    """What earned it, where that is not what the certificate as a whole says."""


@dataclass(frozen=True, kw_only=True)
class CertificateContent:
    """All that a certificate says, frozen at issue: credits earned, never the maximum."""

    number: str
    person_name: str
    title: str
    series: str
    held: str
    """Date, local start and end with the zone, as text: `Thursday 26 November 2026, ...`."""
    mode: ViewingMode
    provider: str
    provider_legal_name: str = ""
    auspices: str = ""
    lines: tuple[CreditLine, ...]
    minutes_attended: int
    faculty: tuple[str, ...]
    disclosures_url: str = ""
    place: str = "online"
    issued_on: date
    signatory: str = ""
    signatory_role: str = ""
    supersedes: str = ""
    """The number this certificate stands in for, after a correction."""
    verify_url: str

    def to_json(self) -> str:
        """The canonical text: the same content is the same bytes, whoever wrote it."""
        return unicodedata.normalize("NFC", canonical_json(self))

    @classmethod
    def from_json(cls, text: str) -> "CertificateContent":
        """Read what `to_json` wrote; ValueError names what is missing, unknown or wrong."""
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("a certificate's content is an object")
        _refuse_unknown(data, {field.name for field in fields(cls)})
        lines = data.pop("lines", [])
        faculty = data.pop("faculty", [])
        mode = ViewingMode(_text(data, "mode"))
        issued_on = date.fromisoformat(_text(data, "issued_on"))
        minutes = data.pop("minutes_attended", None)
        if type(minutes) is not int:
            raise ValueError("'minutes_attended' is a whole number")
        if not isinstance(lines, list) or not isinstance(faculty, list):
            raise ValueError("'lines' and 'faculty' are lists")
        required = ("number", "person_name", "title", "series", "held", "provider", "verify_url")
        words = {name: _text(data, name) for name in required}
        words |= {name: _text(data, name) for name in tuple(data)}
        return cls(
            mode=mode,
            lines=tuple(_line(line) for line in lines),
            minutes_attended=minutes,
            faculty=tuple(_text({"faculty": name}, "faculty") for name in faculty),
            issued_on=issued_on,
            **words,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _line(data: object) -> CreditLine:
    if not isinstance(data, dict):
        raise ValueError("a credit line is an object")
    names = [field.name for field in fields(CreditLine)]
    _refuse_unknown(data, set(names))
    data.setdefault("basis", "")
    words = {name: _text(data, name) for name in names}
    try:
        credit = Decimal(words["credits"])
    except InvalidOperation:
        raise ValueError(f"{words['credits']!r} is no amount of credit") from None
    return CreditLine(
        body=words["body"],
        credits=credit,
        unit=words["unit"],
        reference=words["reference"],
        statement=words["statement"],
        basis=words["basis"],
    )


def _refuse_unknown(data: Mapping[str, object], known: set[str]) -> None:
    unknown = sorted(data.keys() - known)
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}")


def _text(data: dict[str, object], name: str) -> str:
    value = data.pop(name, None)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is missing or no text")
    return value
