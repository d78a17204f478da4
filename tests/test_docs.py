"""Every setting, command and word stands in the documentation."""

import re
from dataclasses import fields
from pathlib import Path

from flask import Flask

from config import Config

ROOT = Path(__file__).resolve().parent.parent


def setting_names() -> set[str]:
    return set(Config(SECRET_KEY="x", DATABASE_URL="sqlite://").to_env())


def test_every_setting_is_documented() -> None:
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.M)
    )

    assert setting_names() - documented == set()
    assert len(fields(Config)) == len(setting_names())


def test_every_setting_stands_in_the_example() -> None:
    example = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))

    assert setting_names() - example == set()


def test_every_command_stands_in_the_operations_guide(app: Flask) -> None:
    guide = (ROOT / "docs/operations.md").read_text()

    missing = {name for name in app.cli.commands if f"flask {name}" not in guide}

    assert missing - {"run", "shell", "routes"} == set()


def test_no_document_names_a_machine_or_a_host_of_packages() -> None:
    forbidden = re.compile(r"/wor[k]/|/roo[t]/|p[y]pi[.]org|np[m]js[.]com")

    found = {
        str(path.relative_to(ROOT))
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        if forbidden.search(path.read_text())
    }

    assert found == set()


def test_every_page_of_the_organisers_guide_has_its_pictures() -> None:
    guide = (ROOT / "docs/guide-organiser.md").read_text()
    named = set(re.findall(r"images/organiser/([a-z-]+-(?:1280|390)\.webp)", guide))
    there = {path.name for path in (ROOT / "docs/images/organiser").glob("*")}

    assert named == there
    assert named != set()


def test_every_picture_of_the_stage_stands_in_a_guide_and_the_other_way_round() -> None:
    guides = "".join(path.read_text() for path in (ROOT / "docs").glob("guide-*.md"))
    named = set(re.findall(r"images/stage/([a-z-]+-(?:1280|390)-(?:light|dark)\.webp)", guides))
    there = {path.name for path in (ROOT / "docs/images/stage").glob("*")}

    assert named == there
    assert len(named) == 13 * 4


def test_every_picture_of_the_officers_guide_is_there_in_every_look() -> None:
    guide = (ROOT / "docs/guide-officer.md").read_text()
    named = set(re.findall(r"images/officer/([a-z-]+-(?:1280|390)-(?:light|dark)\.webp)", guide))
    there = {path.name for path in (ROOT / "docs/images/officer").glob("*")}

    assert named == there
    assert len(named) == 18 * 4


def test_the_officers_guide_leads_to_what_it_rests_on() -> None:
    guide = (ROOT / "docs/guide-officer.md").read_text()
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", guide))

    assert linked == {"attendance-protocol.md", "certificates.md", "registries.md"}
    assert "docs/guide-officer.md" in (ROOT / "README.md").read_text()
