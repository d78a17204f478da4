"""One contract, two stores: files in a folder, and a bucket over HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.components.bucket import BucketServer
from tests.components.servers import free_port
from webinar.media import bucket
from webinar.media.bucket import BucketStorage, address_of
from webinar.media.shelf import MediaShelf
from webinar.media.storage import (
    DamagedFile,
    FileStorage,
    NoSuchFile,
    Storage,
    StorageUnreachable,
    storage_for,
)


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    with BucketServer() as server:
        yield server


@pytest.fixture(params=["files", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage of each kind, as the settings would make it."""
    if request.param == "files":
        return storage_for("", tmp_path)
    server: BucketServer = request.getfixturevalue("server")
    server.empty()
    return storage_for(server.url, tmp_path)


def test_what_was_put_is_read(store: Storage) -> None:
    store.put("recordings/rec1/000000-ab.ts", b"noise")

    assert store.read("recordings/rec1/000000-ab.ts") == b"noise"
    assert store.exists("recordings/rec1/000000-ab.ts")


def test_nothing_is_something_that_can_be_put(store: Storage) -> None:
    store.put("a/empty", b"")

    assert store.read("a/empty") == b""


def test_putting_again_replaces(store: Storage) -> None:
    store.put("a/b", b"first")
    store.put("a/b", b"second")

    assert store.read("a/b") == b"second"
    assert list(store.names("a")) == ["a/b"]


@pytest.mark.parametrize("name", ["nothing", "a", "a/b/c"])
def test_what_was_never_put_is_not_found(name: str, store: Storage) -> None:
    store.put("a/b", b"something")

    assert not store.exists(name)
    with pytest.raises(NoSuchFile):
        store.read(name)
    store.delete("nothing")


ELSEWHERE = ["../a", "a/../../b", "/etc/passwd", "a//b", "", "a/", ".hidden", "a/.b", "a\\b"]


@pytest.mark.parametrize("name", [*ELSEWHERE, "a\0b", "a\n", "x" * 201])
def test_a_name_that_leads_elsewhere_is_refused(name: str, store: Storage) -> None:
    with pytest.raises(NoSuchFile):
        store.put(name, b"")
    with pytest.raises(NoSuchFile):
        store.read(name)
    with pytest.raises(NoSuchFile):
        store.delete(name)
    with pytest.raises(NoSuchFile):
        list(store.names(name))
    with pytest.raises(NoSuchFile):
        store.delete_prefix(name)


def test_a_folder_is_deleted_with_all_it_holds_and_nothing_else(store: Storage) -> None:
    store.put("recordings/rec1/000000.ts", b"1")
    store.put("recordings/rec1/slides/000001.jpg", b"2")
    store.put("recordings/rec10/000000.ts", b"3")

    assert sorted(store.names("recordings/rec1")) == [
        "recordings/rec1/000000.ts",
        "recordings/rec1/slides/000001.jpg",
    ]
    store.delete_prefix("recordings/rec1")
    store.delete_prefix("recordings/rec1")

    assert list(store.names("recordings/rec1")) == []
    assert store.read("recordings/rec10/000000.ts") == b"3"


def test_several_threads_put_at_once(store: Storage) -> None:
    def put(number: int) -> bytes:
        store.put(f"many/{number:03d}", bytes([number]) * 1000)
        return store.read(f"many/{number:03d}")

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(put, range(40)))

    assert read == [bytes([number]) * 1000 for number in range(40)]
    assert len(list(store.names("many"))) == 40


def test_putting_leaves_nothing_beside(tmp_path: Path) -> None:
    files = FileStorage(tmp_path)
    files.put("a/b", b"first")
    files.put("a/b", b"second")

    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    with files.open("a/b") as file:
        assert file.read(2) == b"se"


def test_a_bucket_of_more_than_a_page_is_listed_and_emptied(
    server: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "DELETED_AT_ONCE", 3)
    server.empty()
    store = BucketStorage(server.url)
    for number in range(8):
        store.put(f"rec/{number}", b"x")

    store.delete_prefix("rec")

    assert list(store.names("rec")) == []


def test_what_was_changed_in_the_bucket_is_not_handed_out(server: BucketServer) -> None:
    store = BucketStorage(server.url)
    store.put("rec/1", b"what was stored")

    server.replace("rec/1", b"what was stored?")

    with pytest.raises(DamagedFile):
        store.read("rec/1")


def test_a_bucket_that_does_not_answer_is_said_to_be_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bucket, "ATTEMPTS", 1)
    store = BucketStorage(f"s3+http://a:b@127.0.0.1:{free_port()}/recordings")

    for ask in (store.read, store.exists, store.delete, store.delete_prefix):
        with pytest.raises(StorageUnreachable):
            ask("rec/1")
    with pytest.raises(StorageUnreachable):
        store.put("rec/1", b"")


def test_a_bucket_that_is_not_there_is_no_missing_file(server: BucketServer) -> None:
    store = BucketStorage(server.url.replace("/recordings", "/elsewhere"))

    with pytest.raises(StorageUnreachable):
        store.put("rec/1", b"")


def test_an_address_says_where_the_bucket_is() -> None:
    ours = address_of("s3+http://key:se%2Fcret@store.example:9000/media?region=eu-1")
    amazon = address_of("s3:///media")

    assert (ours.endpoint, ours.key, ours.secret) == ("http://store.example:9000", "key", "se/cret")
    assert (ours.bucket, ours.region) == ("media", "eu-1")
    assert (amazon.endpoint, amazon.key, amazon.bucket) == (None, None, "media")


@pytest.mark.parametrize(
    "url", ["s3://key:secret@host", "s3://host/a/b", "s3://host/a?tls=0", "https://host/bucket"]
)
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="STORAGE_URL"):
        address_of(url)


def test_a_store_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'ftp'"):
        storage_for("ftp://host/bucket", tmp_path)


def test_with_a_bucket_only_what_is_served_leaves_the_disk(
    server: BucketServer, tmp_path: Path
) -> None:
    shelf = MediaShelf.at(tmp_path, "a secret of the tests", storage_url=server.url)

    shelf.storage.put("rec/1", b"noise")
    shelf.keys.create("rec", 0)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys"]
    assert shelf.takes.root == tmp_path
