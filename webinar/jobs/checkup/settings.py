"""Settings that contradict each other, or that fit a laptop and not a service."""

from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from config import Config
from webinar.domain.checkup import Finding, advice, wrong
from webinar.jobs.backing_up import lie_together

HERE = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
# Fewer different signs than any random text of 32 has.
FEWEST_SIGNS = 12


def is_for_people(config: Config) -> bool:
    """True if others than this machine's user are to come."""
    return (urlsplit(config.PUBLIC_URL).hostname or "") not in HERE


def check(config: Config) -> list[Finding]:
    """What the settings alone tell."""
    return [
        *_secret(config),
        *_address(config),
        *_demonstration(config),
        *_mail(config),
        *_backups(config),
        *_advice(config),
    ]


def _secret(config: Config) -> list[Finding]:
    if len(set(config.SECRET_KEY)) >= FEWEST_SIGNS:
        return []
    return [
        wrong(
            "settings",
            "SECRET_KEY can be guessed: it repeats itself.",
            "If nothing is stored yet, make one: `openssl rand -base64 48`. Later it must not be "
            "changed, for it opens the keys of recordings.",
        )
    ]


def _address(config: Config) -> list[Finding]:
    found = []
    if is_for_people(config) and not config.is_https:
        found.append(
            wrong(
                "settings",
                f"PUBLIC_URL is {config.PUBLIC_URL}: passwords and cookies travel unencrypted.",
                "Let nginx end TLS (deploy/nginx.conf) and set PUBLIC_URL to the https:// address.",
            )
        )
    if config.NGINX and not config.is_https:
        found.append(
            wrong(
                "settings",
                "WEBINAR_NGINX=1 without https:// in PUBLIC_URL: what nginx says of readers is "
                "not believed, so all share one limit of tries.",
                "Set PUBLIC_URL to the https:// address that nginx serves.",
            )
        )
    if config.is_https and config.CALENDAR_DOMAIN == Config.CALENDAR_DOMAIN:
        found.append(
            advice(
                "settings",
                "WEBINAR_CALENDAR_DOMAIN is the example's.",
                "Set it to your domain before anybody subscribes to a calendar, then never again.",
            )
        )
    return found


def _demonstration(config: Config) -> list[Finding]:
    found = []
    if config.DEMO and (config.is_https or config.SMTP_URL):
        found.append(
            wrong(
                "settings",
                "WEBINAR_DEMO=1: every page says that nothing is real.",
                "Set WEBINAR_DEMO=0, on a database without the demonstration.",
            )
        )
    if config.DEVELOPMENT and config.is_https:
        found.append(
            wrong(
                "settings",
                "WEBINAR_DEVELOPMENT=1: the log names people's mail addresses.",
                "Set WEBINAR_DEVELOPMENT=0.",
            )
        )
    return found


def _mail(config: Config) -> list[Finding]:
    if not config.SMTP_URL:
        if not is_for_people(config):
            return []
        return [
            wrong(
                "mail",
                "SMTP_URL is empty: mails are written to files and reach nobody.",
                "Set SMTP_URL to your mail server.",
            )
        ]
    sender = parseaddr(config.MAIL_FROM)[1]
    host = sender.rpartition("@")[2]
    if host in HERE or "." not in host:
        return [
            wrong(
                "mail",
                f"Mails are sent from {sender}, which is refused elsewhere.",
                "Set WEBINAR_MAIL_FROM to an address of your domain.",
            )
        ]
    return []


def _backups(config: Config) -> list[Finding]:
    found = []
    wanted = (config.BACKUP_DIR, config.KEYS_BACKUP_DIR)
    if any(wanted) and not config.BACKUP_RECIPIENT:
        found.append(
            wrong(
                "backup",
                "Backups are to be taken and WEBINAR_BACKUP_RECIPIENT is empty: none is.",
                "Make an identity elsewhere and set its public key (docs/backup.md).",
            )
        )
    if all(wanted) and lie_together(Path(config.BACKUP_DIR), Path(config.KEYS_BACKUP_DIR)):
        found.append(
            wrong(
                "backup",
                "Backups of keys go into the same folder as the others, or one is within the "
                "other: none of keys is taken.",
                "Keep the keys' apart: whoever copies the others would keep destroyed keys alive.",
            )
        )
    return found


def _advice(config: Config) -> list[Finding]:
    if not is_for_people(config):
        return []
    found = []
    if not config.METRICS_TOKEN:
        found.append(
            advice(
                "settings",
                "WEBINAR_METRICS_TOKEN is empty: nobody is told when something goes wrong.",
                "Set it, let Prometheus read /metrics, and use deploy/alerts.yml.",
            )
        )
    if not config.REDIS_URL and not config.DATABASE_URL.startswith("sqlite"):
        found.append(
            advice(
                "redis",
                "REDIS_URL is empty: each process counts tries for itself.",
                "Set it where several processes serve.",
            )
        )
    if not config.LEGAL_NAME:
        found.append(
            advice(
                "settings",
                "WEBINAR_LEGAL_NAME is empty: certificates name nobody who answers for them.",
                "Set it to your organisation's legal name before certificates are issued.",
            )
        )
    return found
