"""How much room there is for takes, uploads and recordings in preparation."""

import errno
import shutil
from pathlib import Path

from webinar.domain.errors import DomainError

MEGABYTE = 1024 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskLow(DomainError):
    """Too little room for something new to begin; what runs already goes on."""

    status = 507


def free_megabytes(folder: Path) -> int:
    """What this program may still write on the disk of the folder, or of its first parent."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // MEGABYTE


def ensure_room(folder: Path, *, size: int, low_megabytes: int) -> None:
    """Raise DiskLow unless `size` bytes fit and as much stays free as is kept for broadcasts."""
    free = free_megabytes(folder)
    if free < low_megabytes:
        raise DiskLow(
            f"The server's disk is nearly full: {free} MB are free, and {low_megabytes} MB are "
            "kept for broadcasts. Ask the administrator for room, then try again."
        )
    needed = -(-size // MEGABYTE)
    if free - needed < low_megabytes:
        raise DiskLow(
            f"There is no room for this file of {needed} MB: {free} MB are free on the server's "
            f"disk, of which {low_megabytes} MB are kept for broadcasts. Ask the administrator "
            "for room, or send a smaller file."
        )
