"""Sees to it that the tests have Chromium, Redis, PostgreSQL and nginx, and says where they are.

usage: python -m tests.components.install
Each comes from the first way that this machine allows: what the system has; the system's package
manager (root, or sudo that asks nothing); its packages unpacked into .tools; for Chromium at last
Playwright's own download. Exit 1 with a hint if none does.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from tests.components import apt
from tests.components.programs import (
    TOOLS,
    ComponentMissing,
    find_chromium,
    find_nginx,
    find_postgres_folder,
    find_redis,
    system_tools_count,
)


@dataclass(frozen=True)
class Component:
    """One program the tests start, and what brings it."""

    name: str
    find: Callable[[], Path]
    packages: tuple[str, ...]
    unpacked: str = ""  # the program's path inside its Debian package; "" if it cannot be moved
    version_option: str = "--version"
    # Installed for all, it would begin to serve by itself: then it is only ever unpacked.
    serves_when_installed: bool = False

    @property
    def folder(self) -> Path:
        """Where it is unpacked when it is not installed."""
        return TOOLS / self.name.lower()


COMPONENTS = (
    Component(
        "Chromium",
        find_chromium,
        ("chromium", "fonts-liberation", "fontconfig-config"),
        "usr/lib/chromium/chromium",
    ),
    Component("Redis", find_redis, ("redis-server",), "usr/bin/redis-server"),
    Component("PostgreSQL", lambda: find_postgres_folder() / "postgres", ("postgresql",)),
    Component(
        "nginx",
        find_nginx,
        ("nginx", "libnginx-mod-rtmp"),
        "usr/sbin/nginx",
        version_option="-v",
        serves_when_installed=True,
    ),
)


def main() -> int:
    """Find or install each; returns the exit code."""
    missing = False
    for component in COMPONENTS:
        try:
            path = _ensure(component)
        except (ComponentMissing, apt.AptFailed) as error:
            missing = True
            _say(f"  {component.name:<11}MISSING. {error}")
        else:
            version = _version(path, component.version_option)
            _say(f"  {component.name:<11}{version}  {path}")
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    _say(f"  {'ffmpeg':<11}{imageio_ffmpeg.get_ffmpeg_version()}  {ffmpeg}")
    return 1 if missing else 0


def _ensure(component: Component) -> Path:
    try:
        return component.find()
    except ComponentMissing:
        _say(f"  {component.name} is not here; getting it ...")
    problems = []
    for way in (_install_for_all, _unpack, _download_with_playwright):
        try:
            way(component)
        except apt.AptFailed as error:
            problems.append(str(error))
        try:
            return component.find()
        except ComponentMissing as error:
            last_word = str(error)
    raise ComponentMissing("\n".join([last_word, *problems]))


def _install_for_all(component: Component) -> None:
    if component.serves_when_installed:
        return
    as_root = apt.becoming_root()
    if system_tools_count() and apt.has_apt() and as_root is not None:
        apt.install(component.packages, as_root=as_root)


def _unpack(component: Component) -> None:
    if not (apt.has_apt() and component.unpacked):
        return
    root = component.folder
    shutil.rmtree(root, ignore_errors=True)  # half of an interrupted download
    apt.unpack(component.packages, root)
    program = root / component.unpacked
    if not program.exists():  # on Ubuntu the package is an empty one that points to a snap
        return
    (root / "fonts.conf").write_text(_FONTS.format(fonts=root / "usr/share/fonts"))
    wrapper = root / program.name
    wrapper.write_text(
        _WRAPPER.format(libraries=apt.library_path(root), root=root, program=program)
    )
    wrapper.chmod(0o755)  # last: it counts as found from here on


def _download_with_playwright(component: Component) -> None:
    if component.name != "Chromium":
        return
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    folder = {"PLAYWRIGHT_BROWSERS_PATH": str(TOOLS / "playwright")}
    result = subprocess.run(playwright, env=os.environ | folder, capture_output=True, text=True)
    if result.returncode != 0:
        raise apt.AptFailed(f"{' '.join(playwright)}\n{(result.stdout + result.stderr)[-1500:]}")


def _version(path: Path, option: str) -> str:
    result = subprocess.run([path, option], capture_output=True, text=True)
    if result.returncode != 0:
        raise ComponentMissing(f"{path} does not start: {result.stderr.strip()[-500:]}")
    said = result.stdout or result.stderr
    words = said.replace("v=", "").replace("/", " ").split()
    return next((word for word in words if word[0].isdigit()), "?")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


_WRAPPER = """\
#!/bin/sh
# Starts a program that was unpacked here instead of installed.
export LD_LIBRARY_PATH='{libraries}'
export FONTCONFIG_FILE='{root}/fonts.conf'
export XDG_DATA_DIRS='{root}/usr/share':/usr/local/share:/usr/share
exec '{program}' "$@"
"""

_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""

if __name__ == "__main__":
    sys.exit(main())
