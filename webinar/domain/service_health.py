"""How the service does: facts in, remarks out. /readyz, the status page and the doctor read them.

A part is fine, or it is worth a look while people notice nothing (DEGRADED), or requests cannot be
served (BROKEN). The code of a remark is public; its words are for administrators.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from webinar.domain.wording import plural

# A tick this far behind is not merely waiting for its turn: a long one of its kind may run.
LATE_AFTER = timedelta(minutes=2)
# The quickest ticks are written down every ten seconds: after this nobody keeps the clock.
STOPPED_AFTER = timedelta(minutes=1)
FAILED_TIMES = 3
MAIL_LATE_AFTER = timedelta(minutes=10)
# A day and the hours that a large backup, or a night in which the clock stood, may take.
BACKUP_OLD_AFTER = timedelta(hours=36)
# A reminder comes at the minute: servers apart by more tell people wrong countdowns.
SKEW_SECONDS = 2
MANY_REFUSED = 10
REFUSED_SHARE = 0.05


class Part(StrEnum):
    """What can be well or not."""

    DATABASE = "database"
    SCHEMA = "schema"
    CLOCK = "clock"
    WORKERS = "workers"
    DISK = "disk"
    MAIL = "mail"
    WORK = "work"
    BACKUP = "backup"
    KEYS_BACKUP = "keys backup"
    RETENTION = "retention"
    RELEASES = "releases"


class Standing(StrEnum):
    """How bad it is."""

    FINE = "fine"
    DEGRADED = "degraded"
    BROKEN = "broken"


@dataclass(frozen=True)
class TickFact:
    """How far a tick is behind (None: it never went well) and how often in a row it failed."""

    name: str
    late: timedelta | None
    failures: int


@dataclass(frozen=True)
class MailFacts:
    """What is owed by now, and what became of the last day's mails."""

    due: int
    oldest: timedelta | None
    sent: int = 0
    refused: int = 0


@dataclass(frozen=True)
class BackupFact:
    """One kind of backup: whether it is taken at all, how old the last good one is."""

    is_wanted: bool
    age: timedelta | None
    last_failed: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """What the database and the disk say of the service at one moment."""

    ticks: tuple[TickFact, ...]
    silent_for: timedelta | None  # since any tick went well; None: never
    needs_workers: bool
    workers: int
    releases: frozenset[str]
    free_megabytes: int
    low_megabytes: int
    mail: MailFacts
    parked: int
    backup: BackupFact
    keys_backup: BackupFact
    left_over: tuple[str, ...]  # kinds of data of which something outlived its time


@dataclass(frozen=True)
class Remark:
    """One thing worth saying of a part: in a word, in a sentence, and how it is mended."""

    part: Part
    code: str
    standing: Standing
    words: str
    mend: str


def remarks(facts: ServiceFacts) -> list[Remark]:
    """All that is worth saying, in the order of the parts; nothing if all is well."""
    found = [
        _clock(facts),
        _workers(facts),
        _disk(facts),
        _mail(facts.mail),
        _parked(facts.parked),
        _backup(Part.BACKUP, "the data", "WEBINAR_BACKUP_DIR", facts.backup),
        _backup(Part.KEYS_BACKUP, "the key store", "WEBINAR_KEYS_BACKUP_DIR", facts.keys_backup),
        _left_over(facts.left_over),
        _releases(facts.releases),
    ]
    return [remark for remark in found if remark is not None]


def parts(said: list[Remark]) -> dict[Part, str]:
    """One word for every part: "ok", or the code of what was said of it."""
    words = dict.fromkeys(Part, "ok")
    for remark in said:
        words[remark.part] = remark.code
    return words


def worst(said: list[Remark]) -> Standing:
    """The worst of all that was said."""
    order = list(Standing)
    return max((remark.standing for remark in said), key=order.index, default=Standing.FINE)


def in_words(length: timedelta) -> str:
    """A length of time as people say it: "40 s", "3 min", "5 h", "2 days"."""
    seconds = int(length.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return plural(seconds // 86400, "day")


def database_gone() -> Remark:
    """The database does not answer: nothing else can be known."""
    return Remark(
        Part.DATABASE,
        "unreachable",
        Standing.BROKEN,
        "The database does not answer.",
        "Start it, or mend DATABASE_URL. The service recovers by itself within seconds.",
    )


def schema_remark(found: str | None, wanted: str) -> Remark | None:
    """What to say of a schema at revision `found` where the program knows `wanted`.

    A newer one is how an upgrade begins (docs/upgrading.md): the program runs on it.
    """
    if found == wanted:
        return None
    if found is None:
        return Remark(
            Part.SCHEMA,
            "missing",
            Standing.BROKEN,
            "The database has no tables yet.",
            "Run `flask db upgrade`.",
        )
    if found > wanted:
        return Remark(
            Part.SCHEMA,
            "newer",
            Standing.DEGRADED,
            f"The schema ({found}) is newer than the program ({wanted}).",
            "Bring the program up to date on this machine: an upgrade is half done.",
        )
    return Remark(
        Part.SCHEMA,
        "old",
        Standing.BROKEN,
        f"The schema ({found}) is older than the program ({wanted}).",
        "Run `flask db upgrade`.",
    )


def _clock(facts: ServiceFacts) -> Remark | None:
    start = "Start it: `flask --app wsgi scheduler run`, or WEBINAR_EMBEDDED_CLOCK=1 on a laptop."
    if facts.silent_for is None:
        words = "The clock has never run: no reminder leaves, nothing opens or closes by itself."
        return Remark(Part.CLOCK, "never", Standing.DEGRADED, words, start)
    if facts.silent_for > STOPPED_AFTER:
        words = f"The clock stands still for {in_words(facts.silent_for)}: no reminder leaves."
        return Remark(Part.CLOCK, "stopped", Standing.DEGRADED, words, start)
    failing = [tick for tick in facts.ticks if tick.failures >= FAILED_TIMES]
    if failing:
        names = ", ".join(f"“{tick.name}” ({tick.failures} times)" for tick in failing)
        return Remark(
            Part.CLOCK,
            "failing",
            Standing.DEGRADED,
            f"What the clock does fails again and again: {names}.",
            "The error stands in the clock's log and on the status page; the others go on.",
        )
    late = [tick for tick in facts.ticks if tick.late is not None and tick.late > LATE_AFTER]
    if late:
        worst_one = max(late, key=lambda tick: tick.late or timedelta())
        behind = in_words(worst_one.late or timedelta())
        return Remark(
            Part.CLOCK,
            "late",
            Standing.DEGRADED,
            f"The clock does not keep up: “{worst_one.name}” is {behind} behind.",
            "Look what takes long on the status page; a second clock, or workers, help.",
        )
    return None


def _workers(facts: ServiceFacts) -> Remark | None:
    if not facts.needs_workers or facts.workers:
        return None
    return Remark(
        Part.WORKERS,
        "none",
        Standing.DEGRADED,
        "No worker runs: mails, certificates and decisions wait.",
        "Start one or more: `flask --app wsgi worker run`.",
    )


def _disk(facts: ServiceFacts) -> Remark | None:
    if facts.free_megabytes >= facts.low_megabytes:
        return None
    return Remark(
        Part.DISK,
        "low",
        Standing.DEGRADED,
        f"The disk of the data folder is nearly full: {facts.free_megabytes:,} MB are free, "
        f"{facts.low_megabytes:,} MB are to be.",
        "Make room, or move the data folder. New uploads are refused until then.",
    )


def _mail(mail: MailFacts) -> Remark | None:
    if mail.oldest is not None and mail.oldest > MAIL_LATE_AFTER:
        return Remark(
            Part.MAIL,
            "late",
            Standing.DEGRADED,
            f"{plural(mail.due, 'mail')} should have left, the oldest {in_words(mail.oldest)} ago.",
            "Look at SMTP_URL and the mail server with `flask doctor`; nothing is lost, it leaves "
            "once the server takes it.",
        )
    tried = mail.sent + mail.refused
    if mail.refused >= MANY_REFUSED and mail.refused > REFUSED_SHARE * tried:
        return Remark(
            Part.MAIL,
            "refused",
            Standing.DEGRADED,
            f"Of the last day's {tried} mails {mail.refused} were refused or came back.",
            "Read why in the log of mails: often the sender's domain lacks SPF or DKIM.",
        )
    return None


def _parked(parked: int) -> Remark | None:
    if not parked:
        return None
    return Remark(
        Part.WORK,
        "parked",
        Standing.DEGRADED,
        f"{plural(parked, 'thing')} could not be done after many tries.",
        "Read the error on the status page, mend its cause, then press “Try again”.",
    )


def _backup(part: Part, what: str, setting: str, backup: BackupFact) -> Remark | None:
    if not backup.is_wanted:
        return Remark(
            part,
            "none",
            Standing.FINE,  # somebody else may take it
            f"No backup of {what} is taken by the service.",
            f"Set {setting} and WEBINAR_BACKUP_RECIPIENT, or be sure that others take it.",
        )
    why = f" The last try failed: {backup.last_failed}" if backup.last_failed else ""
    mend = "Take one now with `flask backup`, and see to it that the clock runs at that hour."
    if backup.age is None:
        words = f"No backup of {what} was taken yet.{why}"
        return Remark(part, "missing", Standing.DEGRADED, words, mend)
    if backup.age > BACKUP_OLD_AFTER:
        words = f"The last backup of {what} is {in_words(backup.age)} old.{why}"
        return Remark(part, "old", Standing.DEGRADED, words, mend)
    return None


def _left_over(kinds: tuple[str, ...]) -> Remark | None:
    if not kinds:
        return None
    return Remark(
        Part.RETENTION,
        "left over",
        Standing.DEGRADED,
        f"Something outlived its time: {', '.join(kinds)}.",
        "Run `flask retention run` and read what it says.",
    )


def _releases(releases: frozenset[str]) -> Remark | None:
    if len(releases) < 2:
        return None
    return Remark(
        Part.RELEASES,
        "mixed",
        Standing.DEGRADED,
        f"Processes of different releases run: {', '.join(sorted(releases))}.",
        "Finish the upgrade: restart those of the older release.",
    )
