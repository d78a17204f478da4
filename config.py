"""Settings, read once from the environment. docs/configuration.md explains each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Environment name -> field, where the two differ. PORT and HOST belong to the server, not to us.
_PREFIX = "WEBINAR_"
_UNPREFIXED = frozenset(
    {"DATABASE_URL", "SECRET_KEY", "SMTP_URL", "REDIS_URL", "PUBLIC_URL", "STORAGE_URL"}
)
# Read by ./run and ./test before the program starts.
_FOR_SCRIPTS = frozenset({"WEBINAR_TEST_SYSTEM_TOOLS", "WEBINAR_PYTHON"})
_ONE_OF = {"WEBINAR_ENGINE": ("in-process", "procrastinate"), "WEBINAR_LOG": ("text", "json")}


class ConfigError(Exception):
    """Settings are missing, unknown or make no sense; the message names all of them."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """One field per setting; a field without default must be set."""

    SECRET_KEY: str
    DATABASE_URL: str
    DATA_DIR: Path = Path("var")
    PUBLIC_URL: str = "http://localhost:8000"
    SMTP_URL: str = ""
    REDIS_URL: str = ""
    STORAGE_URL: str = ""
    MAIL_FROM: str = "Webinars <webinars@localhost>"
    SITE_NAME: str = "Grand Rounds Online"
    HOME_ZONE: str = "Europe/Zurich"
    CALENDAR_DOMAIN: str = "webinar.example"
    MEDIA_URL: str = ""
    NGINX: bool = False
    RENDITIONS: str = "main,low,audio"
    SRT_HOST: str = ""
    SRT_PORTS: str = ""
    RTMP_URL: str = ""
    RTMP_PULL_URL: str = "rtmp://127.0.0.1/ingest"
    LOW_DISK_MEGABYTES: int = 5_000
    UPLOAD_MEGABYTES: int = 4_096
    DESTROY_AFTER_DAYS: int = 7
    LEGAL_NAME: str = ""
    SIGNATORY: str = ""
    SIGNATORY_ROLE: str = ""
    SIGNING_KEY: str = ""
    SIGNING_CERTIFICATE: str = ""
    BBB_URL: str = ""
    BBB_SECRET: str = ""
    ZOOM_ACCOUNT_ID: str = ""
    ZOOM_CLIENT_ID: str = ""
    ZOOM_CLIENT_SECRET: str = ""
    ZOOM_WEBHOOK_SECRET: str = ""
    ZOOM_URL: str = "https://api.zoom.us"
    METRICS_TOKEN: str = ""
    EMBEDDED_CLOCK: bool = False
    ENGINE: str = "in-process"
    DATABASE_POOL: int = 20
    STATEMENT_SECONDS: int = 30
    READ_ONLY: bool = False
    LOG: str = "text"
    MAIL_PER_MINUTE: int = 0
    MAIL_RETURN: str = ""
    BACKUP_DIR: str = ""
    BACKUP_RECIPIENT: str = ""
    BACKUP_AT: str = "02:30"
    BACKUP_KEEP_DAYS: int = 30
    KEYS_BACKUP_DIR: str = ""
    KEYS_BACKUP_KEEP_DAYS: int = 35
    KEEP_UNVERIFIED_DAYS: int = 30
    KEEP_LINKS_DAYS: int = 30
    KEEP_MAIL_DAYS: int = 400
    KEEP_QUESTIONS_DAYS: int = 400
    KEEP_EVIDENCE_YEARS: int = 10
    DEVELOPMENT: bool = False
    DEMO: bool = False

    @property
    def is_https(self) -> bool:
        """True if people reach us over TLS; cookies are then Secure."""
        return self.PUBLIC_URL.startswith("https://")

    def secrets(self) -> list[str]:
        """What must not turn up in a log: keys, and the passwords within addresses."""
        addresses = (self.DATABASE_URL, self.SMTP_URL, self.REDIS_URL, self.STORAGE_URL)
        passwords = [urlsplit(address).password or "" for address in addresses if address]
        return [
            secret
            for secret in (
                self.SECRET_KEY,
                self.METRICS_TOKEN,
                self.BBB_SECRET,
                self.ZOOM_CLIENT_SECRET,
                self.ZOOM_WEBHOOK_SECRET,
                *passwords,
                *(unquote(password) for password in passwords),
            )
            if secret
        ]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Config":
        """Read every setting; raises ConfigError naming all that are missing, unknown or wrong."""
        names = {_env_name(field.name): field for field in fields(cls)}
        problems = [
            f"{name} is not a setting; see docs/configuration.md"
            for name in sorted(environ)
            if name.startswith(_PREFIX) and name not in names and name not in _FOR_SCRIPTS
        ]
        values: dict[str, object] = {}
        for name, field in names.items():
            text = environ.get(name, "")
            if not text:
                if field.name in ("SECRET_KEY", "DATABASE_URL"):
                    problems.append(f"{name} is missing")
                continue
            try:
                values[field.name] = _parse(field.type, text)
            except ValueError as error:
                problems.append(f"{name} {error}")
        if len(environ.get("SECRET_KEY", "x" * 32)) < 32:
            problems.append("SECRET_KEY is shorter than 32 characters")
        public_url = environ.get("PUBLIC_URL", "http://localhost")
        if not public_url.startswith(("http://", "https://")) or public_url.endswith("/"):
            problems.append(
                "PUBLIC_URL starts with http:// or https:// and has no slash at its end"
            )
        if re.fullmatch(r"(\d{4,5}(-\d{4,5})?)?", environ.get("WEBINAR_SRT_PORTS", "")) is None:
            problems.append("WEBINAR_SRT_PORTS is a range such as 9000-9019")
        known = {"main", "low", "audio"}
        renditions = environ.get("WEBINAR_RENDITIONS", "main").split(",")
        if "main" not in renditions or not set(renditions) <= known:
            problems.append("WEBINAR_RENDITIONS is main, or main with low and audio, by commas")
        if bool(environ.get("WEBINAR_SIGNING_KEY")) != bool(
            environ.get("WEBINAR_SIGNING_CERTIFICATE")
        ):
            problems.append(
                "WEBINAR_SIGNING_KEY and WEBINAR_SIGNING_CERTIFICATE go together: set both or none"
            )
        if environ.get("WEBINAR_ENGINE") == "procrastinate" and environ.get(
            "DATABASE_URL", ""
        ).startswith("sqlite"):
            problems.append("WEBINAR_ENGINE=procrastinate needs PostgreSQL; leave it out here")
        for name, allowed in _ONE_OF.items():
            if environ.get(name) and environ[name] not in allowed:
                problems.append(f"{name} is one of {', '.join(allowed)}")
        if (
            re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", environ.get("WEBINAR_BACKUP_AT") or "02:30")
            is None
        ):
            problems.append("WEBINAR_BACKUP_AT is a time of day such as 02:30")
        if environ.get("WEBINAR_KEYS_BACKUP_KEEP_DAYS", "1").isdecimal() and not (
            1 <= int(environ.get("WEBINAR_KEYS_BACKUP_KEEP_DAYS", "1") or "1") <= 35
        ):
            problems.append(
                "WEBINAR_KEYS_BACKUP_KEEP_DAYS is 1 to 35: so long can a destroyed key come back"
            )
        if environ.get("WEBINAR_KEEP_EVIDENCE_YEARS", "") in ("1", "2", "3", "4", "5"):
            problems.append(
                "WEBINAR_KEEP_EVIDENCE_YEARS is 6 or more, as accreditors ask, or 0 for ever"
            )
        mail_days = environ.get("WEBINAR_KEEP_MAIL_DAYS", "")
        if mail_days.isdecimal() and int(mail_days) < 60:
            problems.append(
                "WEBINAR_KEEP_MAIL_DAYS is 60 or more: what was sent must not be sent again"
            )
        if problems:
            raise ConfigError("Cannot start: " + "; ".join(problems) + ".")
        return cls(**values)  # type: ignore[arg-type]

    def to_env(self) -> dict[str, str]:
        """The environment that gives these settings again, for a process of our own."""
        return {
            _env_name(field.name): _as_text(getattr(self, field.name)) for field in fields(self)
        }


def _env_name(field_name: str) -> str:
    return field_name if field_name in _UNPREFIXED else _PREFIX + field_name


def _parse(kind: object, text: str) -> object:
    if kind is bool:
        if text.lower() not in ("0", "1", "no", "yes", "false", "true"):
            raise ValueError("is 0 or 1")
        return text.lower() in ("1", "yes", "true")
    if kind is Path:
        return Path(text)
    if kind is int:
        if not text.isdecimal():
            raise ValueError("is a whole number")
        return int(text)
    return text


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
