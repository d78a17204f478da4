"""Where encrypted segments and other served files lie: names to bytes, in a folder or a bucket."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from webinar.domain.errors import DomainError, NotFound
from webinar.media.durable import sync_folder, write_whole

NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*")
LONGEST_NAME = 200


class NoSuchFile(NotFound):
    """Nothing is stored under this name."""


class DamagedFile(DomainError):
    """The stored bytes are not those that were put there."""

    status = 500


class StorageUnreachable(DomainError):
    """The store does not answer, or refuses us; it may pass."""

    status = 503


class Storage(Protocol):
    """Names to bytes, wherever they lie. A name that is stored stays so after a crash.

    Every method raises StorageUnreachable where the bytes lie on another computer.
    """

    def put(self, name: str, data: bytes) -> None:
        """Store the bytes under the name, whole and durable before this returns."""

    def read(self, name: str) -> bytes:
        """The bytes under the name; raises NoSuchFile."""

    def exists(self, name: str) -> bool:
        """True if something is stored under the name."""

    def names(self, prefix: str) -> Iterator[str]:
        """All names in the folder of this name and below, in no order; not there is none."""

    def delete(self, name: str) -> None:
        """Delete what is under the name; not there is fine."""

    def delete_prefix(self, prefix: str) -> None:
        """Delete the folder of this name with all it holds; not there is fine."""


class FileStorage:
    """Files under one folder. A name is `recordings/ab12/000001-9f3c.ts`: never a way out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, data: bytes) -> None:
        """Store the bytes under the name, whole and durable before this returns."""
        write_whole(self.path(name), data)

    def read(self, name: str) -> bytes:
        """The bytes under the name; raises NoSuchFile."""
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """The file under the name, to read from; raises NoSuchFile."""
        try:
            return self.path(name).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as missing:
            raise NoSuchFile("There is no such file.") from missing

    def exists(self, name: str) -> bool:
        """True if something is stored under the name."""
        return self.path(name).is_file()

    def names(self, prefix: str) -> Iterator[str]:
        """All names in the folder of this name and below, in no order; not there is none."""
        folder = self.path(prefix)
        for path in folder.rglob("*"):
            # What is being written has a name that begins with a dot.
            if path.is_file() and not path.name.startswith("."):
                yield str(path.relative_to(self.root))

    def delete(self, name: str) -> None:
        """Delete the file of this name; not there is fine."""
        self.path(name).unlink(missing_ok=True)

    def delete_prefix(self, prefix: str) -> None:
        """Delete the folder of this name with all it holds; not there is fine."""
        folder = self.path(prefix)
        if folder.is_dir():
            shutil.rmtree(folder)
            sync_folder(folder.parent)

    def path(self, name: str) -> Path:
        """Where the file of this name lies, for a web server that sends it itself.

        Raises NoSuchFile for a name that nothing can be stored under.
        """
        return self.root / checked_name(name)


# What a STORAGE_URL may begin with. A bucket's module enters itself (webinar.media.bucket).
STORES: dict[str, Callable[[str], Storage]] = {}


def storage_for(url: str, data_dir: Path) -> Storage:
    """The storage of these settings: files in the data folder, unless the URL names a bucket."""
    if not url:
        return FileStorage(data_dir / "media")
    scheme = url.partition("://")[0]
    if scheme not in STORES:
        raise ValueError(f"STORAGE_URL begins with s3:// or s3+http://, not with {scheme!r}.")
    return STORES[scheme](url)


def checked_name(name: str) -> str:
    """The name itself; raises NoSuchFile for one that nothing can be stored under."""
    if len(name) > LONGEST_NAME or NAME.fullmatch(name) is None:
        raise NoSuchFile("There is no such file.")
    return name
