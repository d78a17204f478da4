from pathlib import Path

import pytest

from tests.media.films import Cinema, film
from webinar.media.keys import KeyStore
from webinar.media.packager import Packager
from webinar.media.storage import FileStorage
from webinar.media.takes import TakeStore


@pytest.fixture(scope="session")
def webm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine seconds at 25 pictures a second, as a browser would have sent them."""
    return film(tmp_path_factory.mktemp("films") / "take.webm", seconds=9)


@pytest.fixture(scope="session")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine seconds that can be packaged without encoding."""
    how = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]
    path = tmp_path_factory.mktemp("films") / "talk.mp4"
    return film(path, seconds=9, how=[*how, "-c:a", "aac"])


@pytest.fixture
def takes(tmp_path: Path) -> TakeStore:
    return TakeStore(tmp_path / "media")


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "storage")


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys", "a secret of the tests")


@pytest.fixture
def packager(tmp_path: Path, storage: FileStorage, keys: KeyStore) -> Packager:
    return Packager(storage, keys, tmp_path / "work", key_seconds=4, poll_seconds=0.02)


@pytest.fixture
def cinema(tmp_path: Path, storage: FileStorage, keys: KeyStore) -> Cinema:
    return Cinema(storage, keys, tmp_path / "cinema")
