"""A key that opens backups, and PostgreSQL's own programs, of the version of the tests' server."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from config import Config
from tests.components.programs import find_postgres_folder
from webinar.backup.sealed import Identities, identities_in, new_identity


@dataclass(frozen=True)
class BackupKey:
    """The file of a secret key, and its public part."""

    file: Path
    public: str

    @property
    def opening(self) -> Identities:
        return identities_in(self.file)


def make_key(file: Path) -> BackupKey:
    secret, public = new_identity()
    file.write_text(f"# a key of the tests\n{secret}\n")
    return BackupKey(file, public)


@pytest.fixture
def key(tmp_path: Path) -> BackupKey:
    return make_key(tmp_path / "backup.key")


@pytest.fixture
def config(config: Config, key: BackupKey, tmp_path: Path) -> Config:
    return replace(
        config,
        BACKUP_RECIPIENT=key.public,
        BACKUP_DIR=str(tmp_path / "backups"),
        KEYS_BACKUP_DIR=str(tmp_path / "key-backups"),
    )


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{find_postgres_folder()}{os.pathsep}{os.environ['PATH']}")
