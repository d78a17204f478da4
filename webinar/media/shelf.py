"""Where all media of an installation lies: takes, encrypted segments, keys, work in progress."""

from dataclasses import dataclass
from pathlib import Path

from webinar.media.keys import KeyStore
from webinar.media.storage import Storage, storage_for
from webinar.media.takes import TakeStore


@dataclass(frozen=True)
class MediaShelf:
    """The stores of one installation. Making one touches nothing."""

    takes: TakeStore
    storage: Storage
    keys: KeyStore
    work: Path

    @classmethod
    def at(cls, data_dir: Path, wrapping_secret: str, *, storage_url: str = "") -> "MediaShelf":
        """The stores below the data folder; keys apart, so that they are backed up apart.

        A bucket takes the place of the served files only: takes, keys and work stay on this disk.
        """
        return cls(
            takes=TakeStore(data_dir),
            storage=storage_for(storage_url, data_dir),
            keys=KeyStore(data_dir / "keys", wrapping_secret),
            work=data_dir / "work",
        )
