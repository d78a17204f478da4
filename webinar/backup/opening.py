"""A backup read through from the beginning to the end, and held against what it says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webinar.backup import manifest as notes
from webinar.backup.archive import ABOUT, Member, Reader
from webinar.backup.manifest import About, Head, Manifest
from webinar.backup.sealed import DamagedBackup, Identities, opened
from webinar.backup.taking import DATABASE, HEADS, MEDIA_INDEX, SMALL_FOLDERS
from webinar.domain.backup import BackupKind

HOLDS = {
    BackupKind.DATA: {DATABASE, HEADS, MEDIA_INDEX, *SMALL_FOLDERS, "media", "takes"},
    BackupKind.KEYS: {"keys"},
}


@dataclass(frozen=True)
class Opened:
    """A backup that is whole: what it says at its beginning, at its end, and of the evidence."""

    about: About
    manifest: Manifest
    heads: list[Head]


def read_through(
    path: Path, identities: Identities, visit: Callable[[Member], None] | None = None
) -> Opened:
    """Read everything, show each part to `visit`, and compare it with the manifest.

    What `visit` was shown is to be believed when this has returned. Raises DamagedBackup,
    WrongIdentity, and what `visit` raises.
    """
    about: About | None = None
    heads: list[Head] = []
    with opened(path, identities) as stream:
        reader = Reader(stream)
        for member in reader.members():
            if about is None:
                if member.name != ABOUT:
                    raise DamagedBackup("The backup does not begin with what it is.")
                about = About.from_json(member.whole())
                continue
            if member.name.split("/")[0] not in HOLDS[about.kind]:
                raise DamagedBackup(f"A backup of {about.kind} does not hold {member.name}.")
            if member.name == HEADS:
                heads = notes.heads_read(member.whole())
            elif visit is not None:
                visit(member)
        if about is None or reader.ending is None:
            raise DamagedBackup("The backup is empty.")
        ending = reader.ending
        manifest = Manifest.from_json(ending.manifest)
        if (manifest.parts, manifest.size, manifest.digest, manifest.chains) != (
            ending.parts,
            ending.size,
            ending.digest,
            len(heads),
        ):
            raise DamagedBackup("The backup holds something else than its manifest says.")
    return Opened(about, manifest, heads)
