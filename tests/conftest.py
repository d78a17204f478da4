"""What tests stand on: a database of each kind, the application, a client, a person signed in."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Playwright, expect, sync_playwright

from config import Config
from tests.components.postgres import PostgresServer
from tests.remembered_routes import remember_routes
from webinar.app import create_app
from webinar.db import DbSession, connect, open_db
from webinar.models import User
from webinar.services import search

remember_routes()
# The same examples every time, each for as long as it takes: a busy machine is no counterexample.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")
# Five seconds, its own patience, are too few on a machine that has other things to do.
expect.set_options(timeout=30_000)

# Journeys in a browser, by what they take.
FILMING = frozenset(
    {
        "test_evening.py",
        "test_media_evening.py",
        "test_watch.py",
        "test_upload.py",
        "test_receiving.py",
        "test_kill.py",
        "test_studio_survives.py",
        "test_presence.py",
        "test_recording_desk.py",
        "test_beats_survive.py",
    }
)
LOOKING = frozenset(
    {
        "test_pages.py",
        "test_organiser.py",
        "test_styleguide.py",
        # A cluster of its own, for the whole module.
        "test_cluster.py",
        "test_make_cluster.py",
        "test_crash.py",
    }
)
SECRET = "a secret of the tests, long enough to start"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes stands first, at the head of what each test process is given.

    So no process is left alone with a journey at the end, and no two journeys film at once: one
    process takes those with pictures that move, the other those that only look at pages.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    share = -(-len(items) // processes)
    films = [item for item in items if item.path.name in FILMING]
    looks = [item for item in items if item.path.name in LOOKING]
    others = [item for item in items if item.path.name not in FILMING | LOOKING]
    if processes > 1:
        rest = share - len(films)
        items[:] = [*films, *others[:rest], *looks, *others[rest:]]
    else:
        items[:] = [*films, *looks, *others]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for each test process: a second would find the first one's event loop running."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL on a free port, one per test process."""
    with PostgresServer() as server:
        yield server


def migrate(url: str, data_dir: Path) -> None:
    app = create_app(Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=data_dir))
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    app.extensions["engine"].dispose()
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite-template")
    migrate(f"sqlite:///{folder / 'template.sqlite3'}", folder)
    return folder / "template.sqlite3"


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = postgres.create_database()
    migrate(url, tmp_path_factory.mktemp("postgres-database"))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database of each kind: every test that asks for it runs twice."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.sqlite3")
        return f"sqlite:///{tmp_path / 'test.sqlite3'}"
    url: str = request.getfixturevalue("postgres_database")
    request.getfixturevalue("postgres").empty_database(url)
    return url


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    return Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=database_url,
        DATA_DIR=tmp_path / "data",
        PUBLIC_URL="http://localhost",
        DEVELOPMENT=True,
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each test has an application of its own, but templates are compiled once."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(config: Config, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(config)
    app.jinja_env.bytecode_cache = compiled_templates
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bound(request: pytest.FixtureRequest, config: Config) -> Iterator[None]:
    """The program's sessions lead to the test's database.

    By the application if the test has one. To make one takes longer than most tests, so those of
    services do without.
    """
    if "app" in request.fixturenames:
        request.getfixturevalue("app")
        yield
        return
    engine = connect(config.DATABASE_URL)
    search.keep_up_to_date([open_db])
    config.DATA_DIR.mkdir(parents=True, exist_ok=True)
    yield
    engine.dispose()


@pytest.fixture
def db(bound: None) -> Iterator[DbSession]:
    """A database session of the test's own; commit what a client is to see."""
    with open_db() as db:
        yield db


@pytest.fixture
def signed_in_as(app: Flask) -> Callable[[User], FlaskClient]:
    """A client whose cookie names the person (who must be committed)."""

    def sign_in(user: User) -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = user.get_id()
            cookie["_fresh"] = True
        return client

    return sign_in
