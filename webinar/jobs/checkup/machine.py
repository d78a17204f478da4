"""This machine: the data folder, its keys, the programs and tables it needs."""

import stat
import subprocess
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from config import Config
from webinar.domain.checkup import Finding, wrong, zone_data
from webinar.domain.errors import DomainError
from webinar.media import ffmpeg
from webinar.media.disk import free_megabytes
from webinar.media.keys import KeyUnreadable
from webinar.tools import media_shelf, signing_keys

FFMPEG_SECONDS = 20
NEEDED_ENCODERS = ("libx264", " aac ")
# What nobody but the program's user reads. media/ is ciphertext that nginx may read.
PRIVATE = ("keys", "takes", "signing", "faculty", "outbox")
# To open every key of years takes long; a wrong secret opens none of the newest either.
RECORDINGS_TRIED = 20
PROBE = "doctor.probe"


def check(config: Config, *, now: datetime) -> list[Finding]:
    """What can be seen from here without a database."""
    folder = config.DATA_DIR.resolve()
    found = [*_folder(config, folder), *_private(folder), *_keys(config), *_signing(config, now)]
    found += _programs()
    return found + zone_data(version("pytz"), version("tzdata"), today=now.date())


def _folder(config: Config, folder: Path) -> list[Finding]:
    probe = folder / PROBE
    try:
        probe.write_bytes(b"written by flask doctor")
        probe.unlink()
    except OSError as error:
        return [
            wrong(
                "data folder",
                f"{folder} cannot be written: {error.strerror}.",
                "Give it to the user that serves (`chown -R`), or correct WEBINAR_DATA_DIR.",
            )
        ]
    free = free_megabytes(folder)
    if free >= config.LOW_DISK_MEGABYTES:
        return []
    return [
        wrong(
            "disk",
            f"{free:,} MB are free below {folder}, {config.LOW_DISK_MEGABYTES:,} MB are to be.",
            "Make room, or move the data folder. Uploads are refused until then.",
        )
    ]


def _private(folder: Path) -> list[Finding]:
    # A folder that others cannot enter hides what lies in it, whatever its own rights.
    if not _others_enter(folder):
        return []
    open_to_all = [
        name for name in PRIVATE if (folder / name).is_dir() and _others_enter(folder / name)
    ]
    open_to_all += [path.name for path in folder.glob("*.sqlite3") if _others_read(path)]
    if not open_to_all:
        return []
    return [
        wrong(
            "data folder",
            f"Everybody on this machine can read {', '.join(open_to_all)} in {folder}.",
            f"Shut it: `chmod o-rwx {folder}`. If nginx reads media/, give its group that folder.",
        )
    ]


def _others_enter(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXOTH)


def _others_read(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)


def _keys(config: Config) -> list[Finding]:
    store = media_shelf(config).keys
    try:
        for recording_id in sorted(store.ids())[-RECORDINGS_TRIED:]:
            for number in store.numbers(recording_id)[:1]:
                store.read(recording_id, number)
    except KeyUnreadable:
        return [
            wrong(
                "secret",
                "Keys of recordings cannot be opened: SECRET_KEY is not the one they were made "
                "with.",
                "Set the SECRET_KEY of then. Without it no recording can be watched.",
            )
        ]
    except DomainError:
        return []  # destroyed meanwhile
    except OSError as error:
        return [
            wrong(
                "data folder",
                f"Keys of recordings cannot be read: {error.strerror}.",
                "Give keys/ in the data folder to the user that serves.",
            )
        ]
    return []


def _signing(config: Config, now: datetime) -> list[Finding]:
    has_own = bool(config.SIGNING_KEY)
    if not has_own and not (config.DATA_DIR.resolve() / "signing").is_dir():
        return []  # made on first need
    try:
        signing_keys(config).current(now=now)
    except (DomainError, OSError, ValueError) as error:
        return [
            wrong(
                "certificates",
                f"Certificates cannot be signed: {error}",
                "Correct WEBINAR_SIGNING_KEY and WEBINAR_SIGNING_CERTIFICATE, or restore signing/ "
                "of the data folder.",
            )
        ]
    return []


def _programs() -> list[Finding]:
    program = ffmpeg.find_ffmpeg()
    mend = "Install ffmpeg with libx264, or set FFMPEG to one; the pip package brings one along."
    try:
        encoders = _said([program, "-hide_banner", "-encoders"])
    except (OSError, subprocess.SubprocessError):
        words = f"{program} does not run: nothing can be broadcast, recorded or uploaded."
        return [wrong("ffmpeg", words, mend)]
    missing = [name.strip() for name in NEEDED_ENCODERS if name not in encoders]
    if not missing:
        return []
    return [wrong("ffmpeg", f"{program} cannot encode {' and '.join(missing)}.", mend)]


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=FFMPEG_SECONDS, check=True
    )
    return done.stdout
