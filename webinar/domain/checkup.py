"""What a look at a deployment finds, and how it is mended."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from webinar.domain.service_health import Remark, Standing, in_words

# Countries change their clocks at a few weeks' notice.
ZONES_OLD_AFTER = timedelta(days=550)


class Severity(StrEnum):
    """Whether it must be mended."""

    WRONG = "wrong"
    ADVICE = "advice"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or could be better, in words for who keeps the machine."""

    check: str
    severity: Severity
    words: str
    mend: str


def wrong(check: str, words: str, mend: str) -> Finding:
    """It must be mended."""
    return Finding(check, Severity.WRONG, words, mend)


def advice(check: str, words: str, mend: str) -> Finding:
    """It may be meant so."""
    return Finding(check, Severity.ADVICE, words, mend)


def of_remark(remark: Remark) -> Finding:
    """What the status page says, said by the doctor."""
    is_fine = remark.standing is Standing.FINE
    severity = Severity.ADVICE if is_fine else Severity.WRONG
    return Finding(remark.part.value, severity, remark.words, remark.mend)


def zone_data(pytz_version: str, tzdata_version: str, *, today: date) -> list[Finding]:
    """What is wrong with the two libraries that know the time zones.

    Their versions are the tables': 2026.2 is IANA's 2026b (PyPI, both projects).
    """
    check = "time zones"
    mend = "Install the pinned versions: `pip install --require-hashes -r requirements.txt`."
    found = []
    if pytz_version != tzdata_version:
        found.append(
            wrong(
                check,
                f"Forms are checked with the time zones of {pytz_version}, times are shown with "
                f"those of {tzdata_version}: the two may differ.",
                mend,
            )
        )
    oldest = min(int(version.split(".")[0]) for version in (pytz_version, tzdata_version))
    # A year's last table comes in its autumn or before the next spring.
    if today - date(oldest, 12, 31) > ZONES_OLD_AFTER:
        found.append(
            wrong(
                check, f"The tables of time zones are of {oldest}.", "Bring the program up to date."
            )
        )
    return found


def clocks_apart(difference: timedelta, *, most_seconds: float) -> Finding | None:
    """What to say of a database whose clock is so far from this machine's."""
    apart = abs(difference)
    if apart.total_seconds() <= most_seconds:
        return None
    which = "ahead of" if difference > timedelta() else "behind"
    return wrong(
        "clocks",
        f"The database's clock is {in_words(apart)} {which} this machine's.",
        "Let both keep their time by NTP (`timedatectl set-ntp true`): deadlines rest on it.",
    )
