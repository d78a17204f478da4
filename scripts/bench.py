"""Runs every benchmarks/*.py and puts what they print into benchmarks/RESULTS.md.

Each prints Markdown: what was measured and its ratio to the same server's hello-world in the same
run. Ratios can be compared between machines; absolute numbers cannot, so they come second.
"""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def main() -> int:
    parts = [_heading()]
    failed = []
    for script in sorted(BENCHMARKS.glob("[!_]*.py")):
        sys.stderr.write(f"{script.name} ...\n")
        result = subprocess.run(
            [sys.executable, script],
            cwd=BENCHMARKS.parent,
            env=os.environ | {"PYTHONPATH": str(BENCHMARKS.parent)},
            stdout=subprocess.PIPE,
            text=True,
        )
        if result.returncode != 0:
            failed.append(script.name)
            continue
        parts.append(
            f"## {script.stem.replace('_', ' ').capitalize()}\n\n{result.stdout.strip()}\n"
        )
        sys.stdout.write(result.stdout)
    if failed:
        sys.stderr.write(f"Failed: {', '.join(failed)}. RESULTS.md stays as it was.\n")
        return 1
    (BENCHMARKS / "RESULTS.md").write_text("\n".join(parts))
    return 0


def _heading() -> str:
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`; the scripts lie beside this file.\n\n"
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
