"""What lies inside: a tar that any tool reads, and that this program reads with suspicion."""

import io
import shutil
import subprocess
import tarfile
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.backup.conftest import BackupKey
from webinar.backup.archive import Part, Reader, Writer
from webinar.backup.manifest import About, Manifest, Trail
from webinar.backup.opening import read_through
from webinar.backup.sealed import DamagedBackup, recipient_of, write_sealed
from webinar.domain.backup import BackupKind

ABOUT = About(BackupKind.KEYS, datetime(2026, 11, 20, tzinfo=UTC), "mark")


def sealed_keys(path: Path, key: BackupKey, *parts: Part, **changed: object) -> Path:
    """A backup of keys as somebody who knows the public key alone can make one."""
    writer = Writer()

    def manifest() -> bytes:
        said = {
            "parts": writer.parts,
            "size": writer.size,
            "digest": writer.digest,
            "trail": Trail(0, ""),
            "chains": 0,
            "counts": {},
        } | changed
        return Manifest(**said).to_json()  # type: ignore[arg-type]

    about = Part.of("about.json", ABOUT.to_json())
    with path.open("wb") as to:
        stream = writer.stream(iter([about, *parts]), manifest)
        write_sealed(stream, to, recipient_of(key.public))
    return path


def plain_tar(path: Path, *entries: tarfile.TarInfo) -> Iterator[bytes]:
    with tarfile.open(path, "w") as tar:
        for info in entries:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    yield path.read_bytes()


def test_parts_come_back_in_their_order(key: BackupKey, tmp_path: Path) -> None:
    big = bytes(range(256)) * 9_000
    path = sealed_keys(
        tmp_path / "a.age", key, Part.of("keys/r/1.key", big), Part.of("keys/r/2.key", b"")
    )
    seen: list[tuple[str, bytes]] = []

    read_through(path, key.opening, lambda one: seen.append((one.name, b"".join(one.pieces()))))

    assert seen == [("keys/r/1.key", big), ("keys/r/2.key", b"")]


def test_tools_of_any_unix_read_it(tmp_path: Path) -> None:
    writer = Writer()
    parts = iter([Part.of("about.json", b"{}"), Part.of("faculty/" + "a" * 150, b"slides")])
    data = b"".join(writer.stream(parts, lambda: b"{}"))

    subprocess.run([shutil.which("tar") or "tar", "x"], input=data, cwd=tmp_path, check=True)
    summed = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert summed.stdout.count("OK") == 2
    assert (tmp_path / "faculty" / ("a" * 150)).read_bytes() == b"slides"


@pytest.mark.parametrize(
    "changed", [{"parts": 1}, {"size": 3}, {"digest": "0" * 64}, {"chains": 1}], ids=str
)
def test_what_its_manifest_does_not_say_is_refused(
    key: BackupKey, tmp_path: Path, changed: dict[str, object]
) -> None:
    path = sealed_keys(tmp_path / "a.age", key, Part.of("keys/r/1.key", b"x"), **changed)

    with pytest.raises(DamagedBackup, match="something else than its manifest says"):
        read_through(path, key.opening)


def test_a_backup_of_keys_brings_nothing_else(key: BackupKey, tmp_path: Path) -> None:
    path = sealed_keys(tmp_path / "a.age", key, Part.of("signing/current.pem", b"another key"))

    with pytest.raises(DamagedBackup, match=r"A backup of keys does not hold signing/current\.pem"):
        read_through(path, key.opening)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "keys/../../outside", "keys/.hidden"]
)
def test_a_way_out_is_refused(key: BackupKey, tmp_path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = 3
    path = tmp_path / "a.age"
    with path.open("wb") as to:
        write_sealed(plain_tar(tmp_path / "tar", info), to, recipient_of(key.public))

    with pytest.raises(DamagedBackup, match="holds what no backup of ours does"):
        read_through(path, key.opening)


def test_links_are_refused(key: BackupKey, tmp_path: Path) -> None:
    info = tarfile.TarInfo("keys/link")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = tmp_path / "a.age"
    with path.open("wb") as to:
        write_sealed(plain_tar(tmp_path / "tar", info), to, recipient_of(key.public))

    with pytest.raises(DamagedBackup, match="holds what no backup of ours does"):
        read_through(path, key.opening)


def test_one_without_an_end_is_refused() -> None:
    whole = b"".join(Writer().stream(iter([Part.of("about.json", b"{}")]), lambda: b"{}"))

    # Up to where the sums would begin: a tar that ends there is a good tar.
    with pytest.raises(DamagedBackup, match="was cut off"):
        list(Reader(io.BytesIO(whole[:1024] + b"\0" * 1024)).members())


def test_a_file_that_shrinks_meanwhile_is_no_backup() -> None:
    parts = iter([Part("takes/1", 10, iter([b"short"]))])

    with pytest.raises(OSError, match="changed its size"):
        list(Writer().stream(parts, lambda: b"{}"))


def test_memory_stays_flat_however_much_there_is(key: BackupKey, tmp_path: Path) -> None:
    def many() -> Iterator[Part]:
        yield Part.of("about.json", ABOUT.to_json())
        for number in range(3_000):
            yield Part("keys/r/" + str(number), 20_000, iter([b"k" * 20_000]))

    def manifest() -> bytes:
        return Manifest(writer.parts, writer.size, writer.digest, Trail(0, ""), 0, {}).to_json()

    writer = Writer()
    path = tmp_path / "large.age"
    tracemalloc.start()
    try:
        with path.open("wb") as to:
            write_sealed(writer.stream(many(), manifest), to, recipient_of(key.public))
        found = read_through(path, key.opening)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found.manifest.parts == 3_001
    assert path.stat().st_size > 60_000_000
    assert peak < 8_000_000
