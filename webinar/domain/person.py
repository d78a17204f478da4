"""What a person tells about themselves, made clean, or refused field by field."""

import unicodedata
from dataclasses import dataclass

from webinar.domain.countries import COUNTRIES
from webinar.domain.errors import DomainError
from webinar.domain.timezone import UnknownZone, zone_named

# What is stored stays the same when the words beside it change.
PROFESSIONS: dict[str, str] = {
    "physician": "Physician",
    "resident": "Physician in training",
    "nurse": "Nurse",
    "pharmacist": "Pharmacist",
    "physicist": "Medical physicist",
    "radiographer": "Radiographer or radiotherapist",
    "psychologist": "Psychologist",
    "researcher": "Researcher",
    "student": "Student",
    "other": "Other",
}

NAME_LETTERS = range(2, 201)
PASSWORD_LETTERS = range(10, 201)


class FormRefused(DomainError):
    """What was typed cannot be taken: a sentence for each field that needs another look."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class PersonDetails:
    """A person as they describe themselves. `cleaned` makes it fit to be stored."""

    name: str
    country: str
    profession: str
    zone: str


def cleaned(details: PersonDetails) -> PersonDetails:
    """The details as they are stored; raises FormRefused naming every field that is wrong."""
    problems = {}
    name = one_line(details.name)
    if len(name) not in NAME_LETTERS or not any(letter.isalpha() for letter in name):
        problems["name"] = "Give your name as it goes on a certificate, up to 200 letters."
    if details.country not in COUNTRIES:
        problems["country"] = "Choose your country from the list."
    if details.profession not in PROFESSIONS:
        problems["profession"] = "Choose your profession from the list."
    try:
        zone_named(details.zone)
    except UnknownZone:
        problems["zone"] = "Choose your time zone from the list, for example Europe/Zurich."
    if problems:
        raise FormRefused(problems)
    return PersonDetails(
        name=name, country=details.country, profession=details.profession, zone=details.zone
    )


def password_problem(password: str) -> str:
    """What is wrong with a new password, or "" if nothing is."""
    if len(password) not in PASSWORD_LETTERS:
        return (
            f"A password has between {PASSWORD_LETTERS.start} and {PASSWORD_LETTERS.stop - 1} "
            "characters; a few words in a row make a good one."
        )
    return ""


def one_line(text: str) -> str:
    """Composed letters, single spaces, nothing invisible: safe in a mail header."""
    visible = (
        " " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter
        for letter in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(visible).split())
