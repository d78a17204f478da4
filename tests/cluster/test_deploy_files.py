"""What lies in deploy/ fits the program: containers, units, and the nginx between them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from flask import Flask

from config import Config
from tests.components.front import DEPLOY
from tests.components.nginx import NginxServer
from tests.components.servers import free_port

ROOT = DEPLOY.parent
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
HOME = "/srv/webinar/current"
# Of ten; systemd's own word for less than two is OK.
MOST_EXPOSED = 2.0


@dataclass(frozen=True)
class Compose:
    """deploy/compose.yaml as it is read, with its anchors followed."""

    services: dict[str, dict[str, object]]
    volumes: set[str]


@pytest.fixture
def compose() -> Compose:
    text = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return Compose(text["services"], set(text["volumes"]))


def settings_of(compose: Compose) -> dict[str, str]:
    found = compose.services["web-1"]["environment"]
    assert isinstance(found, dict)
    return found


def image_settings() -> dict[str, str]:
    """What the image's ENV says."""
    text = (DEPLOY / "Dockerfile").read_text()
    said = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.M)
    return dict(word.split("=", 1) for word in " ".join(said).replace("\\\n", "").split())


def test_the_program_starts_with_the_settings_of_compose(compose: Compose) -> None:
    image = dict(
        re.findall(r"^\s+(?:ENV )?(WEBINAR_\w+)=(\S+)", (DEPLOY / "Dockerfile").read_text(), re.M)
    )
    given = {"SECRET_KEY": "x" * 40, "PUBLIC_URL": "https://webinar.example"}

    config = Config.from_env(image | settings_of(compose) | given)

    assert (config.ENGINE, config.NGINX, config.LOG) == ("procrastinate", True, "json")
    assert str(config.DATA_DIR) == "/var/lib/webinar"


def test_a_command_begins_in_a_fresh_container(compose: Compose, tmp_path: Path) -> None:
    """Nothing has made a folder below /tmp yet, and most containers never have gunicorn do it."""
    image = image_settings()
    here = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/webinar.db",
        "PATH": os.environ["PATH"],
        "PUBLIC_URL": "https://webinar.example",
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": "x" * 40,
        "WEBINAR_DATA_DIR": str(tmp_path),
        "WEBINAR_ENGINE": "in-process",
    }
    # /tmp of a container is empty; that of this machine need not be.
    given = {
        name: value.replace("/tmp", str(tmp_path))  # noqa: S108
        for name, value in (image | settings_of(compose)).items()
    }

    done = subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"],
        cwd=ROOT,
        env=given | here,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert image["FLASK_APP"] == "wsgi"
    assert done.returncode == 0, done.stderr


def test_web_processes_of_a_container_count_together_in_a_folder_of_its_own(
    compose: Compose,
) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    command = json.loads(re.findall(r"^CMD (.*)$", text, re.M)[-1])

    assert command[:3] == ["env", "PROMETHEUS_MULTIPROC_DIR=/tmp/counts", "gunicorn"]
    for name in ("web-1", "web-2"):
        assert "command" not in compose.services[name]
        assert compose.services[name]["tmpfs"] == ["/tmp:mode=1777"]  # noqa: S108


def test_every_command_of_compose_is_one_of_the_program(app: Flask, compose: Compose) -> None:
    commands = [
        words[1:]
        for service in compose.services.values()
        if (words := service.get("command", [])) and words[0] == "flask"
    ]

    found = [
        (group, name)
        for group, name in commands
        if name in app.cli.commands[group].list_commands(None)
    ]

    assert sorted(found) == [("db", "upgrade"), ("scheduler", "run"), ("worker", "run")]


def test_compose_names_only_what_it_has(compose: Compose) -> None:
    waited_for = {
        name for service in compose.services.values() for name in service.get("depends_on", {})
    }
    mounted = {
        source
        for service in compose.services.values()
        for source, _, _ in (each.partition(":") for each in service.get("volumes", []))
    }
    files = {source for source in mounted if source.startswith("./")}

    assert waited_for - set(compose.services) == set()
    assert {source for source in mounted if not source.startswith(".")} == compose.volumes
    assert {name for name in files if not (DEPLOY / name).exists()} == {"./tls"}


def test_containers_of_the_program_may_do_little(compose: Compose) -> None:
    ours = [one for one in compose.services.values() if str(one["image"]).startswith("webinar:")]

    assert len(ours) == 5
    assert {str(one["cap_drop"]) for one in ours} == {"['ALL']"}
    assert {one["read_only"] for one in ours} == {True}
    assert {str(one["security_opt"]) for one in ours} == {"['no-new-privileges:true']"}
    assert [name for name, one in compose.services.items() if "ports" in one] == ["nginx"]


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        name
        for words in re.findall(r"^COPY ([^-].*)$", text, re.M)
        for name in shlex.split(words)[:-1]
    ]

    last_user = re.findall(r"^USER (\S+)$", text, re.M)[-1]

    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert {name for name in copied if f"!{name}" not in allowed} == set()
    assert allowed[1] == "*"
    assert last_user == "webinar"
    assert len(re.findall(r"^FROM ", text, re.M)) == 2
    assert "--require-hashes" in text
    assert re.search(r"^HEALTHCHECK ", text, re.M) is not None


def test_backups_of_keys_have_a_place_apart_from_the_others(compose: Compose) -> None:
    places = {"/var/backups/webinar", "/var/backups/webinar-keys"}
    made = re.findall(r"--mode=0700 \\\n(.*)$", (DEPLOY / "Dockerfile").read_text(), re.M)
    ours = [one for one in compose.services.values() if str(one["image"]).startswith("webinar:")]
    mounted = [
        {place: source for source, _, place in (each.partition(":") for each in one["volumes"])}  # type: ignore[attr-defined]
        for one in ours
    ]
    written = {
        path.name: re.findall(r"^ReadWritePaths=(.*)$", path.read_text(), re.M) for path in SERVICES
    }

    assert set(" ".join(made).split()) == places
    assert [len({by_place[place] for place in places}) for by_place in mounted] == [2] * 5
    for name, (said,) in written.items():
        assert {each.removeprefix("-") for each in said.split()} == places, name


def test_pg_dump_in_the_image_is_as_new_as_the_server(compose: Compose) -> None:
    client = re.search(r"postgresql-client-(\d+)", (DEPLOY / "Dockerfile").read_text())

    assert client is not None
    assert compose.services["postgres"]["image"] == f"postgres:{client[1]}"


def test_nginx_of_compose_leads_to_both_nodes(tmp_path: Path) -> None:
    port = free_port()
    conf = tmp_path / "default.conf"
    nodes = {"NODE_1": f"127.0.0.1:{free_port()}", "NODE_2": f"127.0.0.1:{free_port()}"}
    places = {"WEBINAR_CONF": str(DEPLOY / "nginx.conf"), "NGINX_CONF": str(conf)}
    log = {"NGINX_LOG": str(tmp_path / "log")}

    subprocess.run([DEPLOY / "compose-nginx.sh"], env=os.environ | nodes | places | log, check=True)
    text = conf.read_text()
    for theirs, ours in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/var/cache/nginx", "{folder}"),
    ):
        assert theirs in text
        text = text.replace(theirs, ours)

    # It would not begin with a configuration that it does not understand.
    with NginxServer(port, http=text):
        named = re.findall(r"^ *server ([0-9.:]+) max_fails=3 fail_timeout=2s;", text, re.M)
    assert named == [nodes["NODE_1"], nodes["NODE_2"]] * 2
    assert os.access(DEPLOY / "compose-nginx.sh", os.X_OK), "nginx's image runs no other"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_starts_something_that_is_there(app: Flask, path: Path) -> None:
    unit = RawConfigParser(strict=False, allow_no_value=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text())
    service = unit["Service"]
    commands = [
        shlex.split(line)
        for line in re.findall(r"^ExecStart(?:Pre)?=(.*)$", path.read_text(), re.M)
    ]

    for program, *words in commands:
        assert (ROOT / Path(program).relative_to(HOME)).exists(), program
        if program.endswith("/flask"):
            assert words[1] in app.cli.commands[words[0]].list_commands(None)  # type: ignore[attr-defined, arg-type]
        for word in words:
            if word.startswith("deploy/"):
                assert (ROOT / word).is_file()
    assert (service["User"], service["NoNewPrivileges"]) == ("webinar", "yes")
    assert (service["ProtectSystem"], service["UMask"]) == ("strict", "0027")
    assert service["CapabilityBoundingSet"] == ""


def test_one_check_of_the_night_that_finds_something_does_not_keep_the_other_from_its_turn() -> (
    None
):
    """The first ExecStart of a unit that fails is its last, so each check is a unit of its own."""
    folder = DEPLOY / "systemd"
    begun = {
        path.name: re.findall(r"^ExecStart=\S+/flask (.*)$", path.read_text(), re.M)
        for path in SERVICES
        if "Type=oneshot" in path.read_text()
    }
    first, second = "webinar-verify.service", "webinar-verify-media.service"
    asked = re.findall(r"^(Wants|After)=(.*)$", (folder / first).read_text(), re.M)
    awaited = re.findall(r"^(\w+)=.*\bwebinar-verify\.service", (folder / second).read_text(), re.M)

    assert begun == {first: ["evidence verify"], second: ["media check"]}
    assert (folder / first).with_suffix(".timer").exists()
    assert second in [name for kind, names in asked if kind == "Wants" for name in names.split()]
    # Requires= and its like would bind the second to what became of the first.
    assert awaited == ["After"]


def test_systemd_understands_the_units_and_finds_them_little_exposed(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace(HOME, str(ROOT))
        (tmp_path / unit.name.replace("@", "@1")).write_text(text)
    names = [path.name for path in sorted(tmp_path.glob("*.service"))]

    # Where there is no systemd, the test above is all that can be said.
    if shutil.which("systemd-analyze"):
        verified = _analyze("verify", *(f"./{name}" for name in names), folder=tmp_path)
        rated = {
            name: _analyze("security", "--offline=yes", "--no-pager", f"./{name}", folder=tmp_path)
            for name in names
        }
        exposed = {
            name: re.findall(r"exposure level for \S+: ([0-9.]+)", text)
            for name, text in rated.items()
        }

        assert verified == ""
        assert {name for name, (level,) in exposed.items() if float(level) > MOST_EXPOSED} == set()
    assert len(names) == len(SERVICES)


def _analyze(*words: str, folder: Path) -> str:
    result = subprocess.run(
        ["systemd-analyze", *words],
        cwd=folder,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
    )
    return result.stdout + result.stderr
