"""What is said of the service, and how bad it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from webinar.domain.service_health import (
    BackupFact,
    MailFacts,
    Part,
    ServiceFacts,
    Standing,
    TickFact,
    database_gone,
    in_words,
    parts,
    remarks,
    schema_remark,
    worst,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WELL = ServiceFacts(
    ticks=(TickFact("send mails", timedelta(), 0), TickFact("decide credit", None, 0)),
    silent_for=timedelta(seconds=9),
    needs_workers=True,
    workers=1,
    releases=frozenset({"1"}),
    free_megabytes=5000,
    low_megabytes=5000,
    mail=MailFacts(due=3, oldest=10 * MINUTE, sent=100, refused=5),
    parked=0,
    backup=BackupFact(True, 36 * HOUR),
    keys_backup=BackupFact(True, HOUR),
    left_over=(),
)


def test_of_a_service_that_is_well_nothing_is_said() -> None:
    assert remarks(WELL) == []
    assert worst([]) is Standing.FINE
    assert set(parts([]).values()) == {"ok"}


@pytest.mark.parametrize(
    ("change", "part", "code"),
    [
        ({"silent_for": None}, Part.CLOCK, "never"),
        ({"silent_for": 61 * timedelta(seconds=1)}, Part.CLOCK, "stopped"),
        ({"ticks": (TickFact("mix", timedelta(), 3),)}, Part.CLOCK, "failing"),
        ({"ticks": (TickFact("mix", 2 * MINUTE + timedelta(seconds=1), 2),)}, Part.CLOCK, "late"),
        ({"workers": 0}, Part.WORKERS, "none"),
        ({"free_megabytes": 4999}, Part.DISK, "low"),
        ({"mail": MailFacts(due=1, oldest=11 * MINUTE)}, Part.MAIL, "late"),
        ({"mail": MailFacts(due=0, oldest=None, sent=90, refused=10)}, Part.MAIL, "refused"),
        ({"parked": 1}, Part.WORK, "parked"),
        ({"backup": BackupFact(True, None)}, Part.BACKUP, "missing"),
        ({"backup": BackupFact(True, 37 * HOUR)}, Part.BACKUP, "old"),
        ({"keys_backup": BackupFact(True, 37 * HOUR)}, Part.KEYS_BACKUP, "old"),
        ({"left_over": ("links",)}, Part.RETENTION, "left over"),
        ({"releases": frozenset({"1", "2"})}, Part.RELEASES, "mixed"),
    ],
)
def test_what_is_not_well_has_a_part_a_word_and_a_way_to_mend_it(
    change: dict[str, object], part: Part, code: str
) -> None:
    [said] = remarks(replace(WELL, **change))  # type: ignore[arg-type]

    assert (said.part, said.code, said.standing) == (part, code, Standing.DEGRADED)
    assert said.words.endswith(".")
    assert said.mend.endswith(".")
    assert parts([said])[part] == code


@pytest.mark.parametrize(
    "change",
    [
        {"needs_workers": False, "workers": 0},
        {"ticks": (TickFact("mix", 2 * MINUTE, 2),)},
        {"mail": MailFacts(due=0, oldest=None, sent=1, refused=9)},
        {"mail": MailFacts(due=0, oldest=None, sent=990, refused=10)},
        {"releases": frozenset[str]()},
    ],
)
def test_what_is_nothing_to_speak_of_is_not_said(change: dict[str, object]) -> None:
    assert remarks(replace(WELL, **change)) == []  # type: ignore[arg-type]


def test_a_backup_that_somebody_else_may_take_is_mentioned_and_no_trouble() -> None:
    [said] = remarks(replace(WELL, backup=BackupFact(False, None)))

    assert (said.part, said.code, worst([said])) == (Part.BACKUP, "none", Standing.FINE)


def test_why_the_last_backup_failed_is_said() -> None:
    [said] = remarks(replace(WELL, backup=BackupFact(True, 49 * HOUR, "the disk is full")))

    assert said.words == (
        "The last backup of the data is 2 days old. The last try failed: the disk is full"
    )


@pytest.mark.parametrize(
    ("found", "code", "standing"),
    [
        (None, "missing", Standing.BROKEN),
        ("0010", "old", Standing.BROKEN),
        ("0012", "newer", Standing.DEGRADED),
    ],
)
def test_a_schema_older_than_the_program_cannot_be_served(
    found: str | None, code: str, standing: Standing
) -> None:
    said = schema_remark(found, "0011")

    assert said is not None
    assert (said.part, said.code, said.standing) == (Part.SCHEMA, code, standing)
    assert schema_remark("0011", "0011") is None


def test_the_worst_counts() -> None:
    said = [*remarks(replace(WELL, parked=2)), database_gone()]

    assert worst(said) is Standing.BROKEN


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172800, "2 days"),
    ],
)
def test_lengths_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
