"""Debian and Ubuntu packages for the tests: installed as root, or unpacked into .tools without.

Without root, apt works on folders of our own: it finds out what a package needs beyond what the
machine has, downloads that, and we unpack it beside the checkout. Nothing of it is installed.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.components.programs import system_tools_count

# The loader and the C library must be the machine's own: they belong together and to its kernel.
_NEVER_UNPACKED = ("libc6_", "libc-bin_", "base-files_")


class AptFailed(Exception):
    """apt could not do it; the text is what it said."""


def has_apt() -> bool:
    """True on Debian, Ubuntu and their kin."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def becoming_root() -> list[str] | None:
    """What to put before a command so that it runs as root; None where there is no way."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    asks_nothing = subprocess.run(["sudo", "-n", "true"], capture_output=True)
    return ["sudo", "-n"] if asks_nothing.returncode == 0 else None


def install(packages: Sequence[str], *, as_root: Sequence[str]) -> None:
    """Install for the whole machine; raises AptFailed."""
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    _run([*apt, "update"])
    _run([*apt, "install", "-y", "--no-install-recommends", *packages])


def unpack(packages: Sequence[str], into: Path) -> None:
    """Download packages with all they need and unpack them below `into`; raises AptFailed."""
    state = into / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-q", *_own_folders(state)]
    _run([*apt, "update"])
    _run([*apt, "install", "-y", "--no-install-recommends", "--download-only", *packages])
    for archive in sorted((state / "cache/archives").glob("*.deb")):
        if not archive.name.startswith(_NEVER_UNPACKED):
            _run(["dpkg-deb", "--extract", str(archive), str(into)])
    shutil.rmtree(state)


def library_path(root: Path) -> str:
    """LD_LIBRARY_PATH for programs unpacked below `root`."""
    folders = [
        folder
        for lib in ("usr/lib", "lib")
        for machine in sorted(root.glob(f"{lib}/*-linux-gnu*"))
        for folder in (machine, *sorted(path for path in machine.iterdir() if path.is_dir()))
        if any(folder.glob("*.so*"))
    ]
    return ":".join(map(str, folders))


def _own_folders(state: Path) -> list[str]:
    status = Path("/var/lib/dpkg/status")
    if not system_tools_count():
        # As if nothing were installed here, so that every library comes along.
        status = state / "status"
        status.touch()
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": status,
        "Dir::Cache": state / "cache",
        "Dir::Log": state,
        "Debug::NoLocking": "true",
        "APT::Sandbox::User": "",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise AptFailed(f"{' '.join(command)}\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
