"""The rings, the homes of libraries, and who may read the clock: three tables that hold."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "webinar"

# Read from the top: nothing may import a part that is listed below it, but for edges' own parts.
MAY_IMPORT = {
    "domain": {"domain"},
    "db": set(),
    "letterbox": {"db"},
    "models": {"db", "domain", "models"},
    "services": {"db", "domain", "letterbox", "models", "services"},
    "calendar": {"calendar", "domain"},
    "mail": {"domain", "mail"},
    "media": {"domain", "media"},
    "documents": {"documents", "domain"},
    "rooms": {"domain", "rooms"},
    "backup": {"backup", "db", "domain", "media", "models", "services"},
    "logs": set(),
    "tools": {"calendar", "documents", "domain", "mail", "media", "rooms", "services"},
    "demo": {
        "db", "demo", "domain", "jobs", "media", "models", "services", "tools",
    },
    "web": {
        "calendar", "db", "documents", "domain", "logs", "media", "models", "rooms", "services",
        "tools", "web",
    },
    "jobs": {
        "backup", "db", "documents", "domain", "jobs", "letterbox", "logs", "mail", "media",
        "models", "rooms", "services", "tools",
    },
    "cli": {
        "backup", "cli", "db", "demo", "documents", "domain", "jobs", "logs", "mail", "media",
        "models", "services", "tools",
    },
    "app": {"cli", "db", "domain", "logs", "services", "web"},
    "beats_server": {"db", "logs", "web"},
}  # fmt: skip

LIVES_IN = {
    "alembic": {"cli"},
    "apscheduler": {"jobs"},
    "argon2": {"services"},
    "asn1crypto": {"documents"},
    "boto3": {"media"},
    "botocore": {"media"},
    "cryptography": {"documents", "media"},
    "dateutil": {"domain"},
    "flask": {"app", "cli", "web"},
    "flask_limiter": {"web"},
    "flask_login": {"web"},
    "flask_wtf": {"web"},
    "holidays": {"services"},
    "httpx": {"rooms"},
    "lxml": {"documents"},
    "procrastinate": {"jobs"},
    "prometheus_client": {"web"},
    "pyhanko": {"documents"},
    "pyrage": {"backup"},
    "pyhanko_certvalidator": {"documents"},
    "icalendar": {"calendar"},
    "imageio_ffmpeg": {"media"},
    "jwt": {"documents", "rooms"},
    "openpyxl": {"documents"},
    "pypdfium2": {"media"},
    "pytz": {"domain"},
    "segno": {"documents"},
    "smtplib": {"mail"},
    "sqlalchemy": {"backup", "cli", "db", "demo", "jobs", "letterbox", "models", "services", "web"},
    "subprocess": {"backup", "demo", "jobs", "media"},
    "structlog": {"logs"},
    "typst": {"documents", "media"},
    "webvtt": {"media"},
    "xlsxwriter": {"documents"},
}

MAY_READ_THE_CLOCK = {"backup", "cli", "demo", "jobs", "web", "media"}
MAY_COMMIT = {"cli", "demo", "jobs", "web"}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_inward(path: Path) -> None:
    inside = [name.split(".")[1] for name in imported_by(path) if name.startswith("webinar.")]
    parts = {n for n in inside if (PACKAGE / n).is_dir() or (PACKAGE / f"{n}.py").is_file()}

    assert parts - MAY_IMPORT[part_of(path)] == set()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_stays_in_its_home(path: Path) -> None:
    strays = {
        name.split(".")[0]
        for name in imported_by(path)
        if part_of(path) not in LIVES_IN.get(name.split(".")[0], {part_of(path)})
    }

    assert strays == set()


def test_only_edges_read_the_clock() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if part_of(path) not in MAY_READ_THE_CLOCK
        and {"now", "utcnow", "today"} & set(calls_in(path))
    }

    assert readers == set()


def test_only_edges_commit() -> None:
    committers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if part_of(path) not in MAY_COMMIT and "commit" in set(calls_in(path))
    }

    assert committers == set()


def test_the_domain_loads_without_framework_database_or_calendar_library() -> None:
    names = [
        f"webinar.domain.{path.stem}"
        for path in sorted((PACKAGE / "domain").glob("*.py"))
        if path.stem != "__init__"
    ]
    program = (
        f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}"
        " & {'flask', 'sqlalchemy', 'icalendar', 'apscheduler'}))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "[]"


def test_no_file_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "core", "base", "manager", "misc"}

    found = {str(p.relative_to(ROOT)) for p in modules() if p.stem in drawers}

    assert found == set()


def test_no_file_needs_scrolling_twice() -> None:
    long = {
        str(p.relative_to(ROOT)): lines
        for p in modules()
        if (lines := len(p.read_text().splitlines())) > 400
    }

    assert long == {}
