import pytest

from webinar.media.storage import FileStorage, NoSuchFile


def test_what_was_put_is_read(storage: FileStorage) -> None:
    storage.put("recordings/rec1/000000-ab.ts", b"noise")

    with storage.open("recordings/rec1/000000-ab.ts") as file:
        assert file.read(2) == b"no"
    assert storage.read("recordings/rec1/000000-ab.ts") == b"noise"
    assert storage.exists("recordings/rec1/000000-ab.ts")


def test_putting_again_replaces_and_leaves_nothing_beside(storage: FileStorage) -> None:
    storage.put("a/b", b"first")
    storage.put("a/b", b"second")

    assert storage.read("a/b") == b"second"
    assert [path.name for path in (storage.root / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["nothing", "a", "a/b/c"])
def test_what_was_never_put_is_not_found(name: str, storage: FileStorage) -> None:
    storage.put("a/b", b"something")

    assert not storage.exists(name)
    with pytest.raises(NoSuchFile):
        storage.read(name)


ELSEWHERE = ["../a", "a/../../b", "/etc/passwd", "a//b", "", "a/", ".hidden", "a/.b", "a\\b"]


@pytest.mark.parametrize("name", [*ELSEWHERE, "a\0b", "a\n", "x" * 201])
def test_a_name_that_leads_elsewhere_is_refused(name: str, storage: FileStorage) -> None:
    with pytest.raises(NoSuchFile):
        storage.put(name, b"")
    with pytest.raises(NoSuchFile):
        storage.delete_prefix(name)


def test_a_folder_is_deleted_with_all_it_holds_and_nothing_else(storage: FileStorage) -> None:
    storage.put("recordings/rec1/000000.ts", b"1")
    storage.put("recordings/rec1/000001.ts", b"2")
    storage.put("recordings/rec10/000000.ts", b"3")

    storage.delete_prefix("recordings/rec1")
    storage.delete_prefix("recordings/rec1")

    assert not storage.exists("recordings/rec1/000000.ts")
    assert storage.read("recordings/rec10/000000.ts") == b"3"
