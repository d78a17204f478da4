"""What answers over the network: mail server, Redis, the bucket of media, our own address."""

import re
import secrets
import ssl
import urllib.error
import urllib.request

import redis

from config import Config
from webinar.domain.checkup import Finding, advice, wrong
from webinar.domain.errors import DomainError
from webinar.mail.smtp import SmtpConnection, SmtpServer
from webinar.mail.verdicts import ServerAway
from webinar.tools import media_shelf

SECONDS = 5


def check(config: Config) -> list[Finding]:
    """Each neighbour that the settings name is asked something harmless."""
    return [*_mail_server(config), *_redis(config), *_store(config), *_own_address(config)]


def _mail_server(config: Config) -> list[Finding]:
    if not config.SMTP_URL:
        return []
    try:
        server = SmtpServer.at(config.SMTP_URL)
    except ValueError as error:
        return [wrong("mail", f"{error}.", "Correct SMTP_URL.")]
    try:
        SmtpConnection(server).close()
    except ServerAway as error:
        return [
            wrong(
                "mail",
                f"No mail can leave by {server.host}:{server.port}: {error}.",
                "Correct host, port, user or password in SMTP_URL, or start the mail server. What "
                "is owed leaves by itself afterwards.",
            )
        ]
    return []


def _redis(config: Config) -> list[Finding]:
    if not config.REDIS_URL:
        return []
    try:
        with redis.Redis.from_url(
            config.REDIS_URL, socket_connect_timeout=SECONDS, socket_timeout=SECONDS
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        return [
            wrong(
                "redis",
                f"Redis does not answer: {error}.",
                "Start it, or correct REDIS_URL. Until then each process counts tries for itself.",
            )
        ]
    return []


def _store(config: Config) -> list[Finding]:
    if not config.STORAGE_URL:
        return []
    name = f"doctor/{secrets.token_hex(8)}"
    content = secrets.token_bytes(32)
    try:
        storage = media_shelf(config).storage
        storage.put(name, content)
        is_same = storage.read(name) == content
        storage.delete(name)
        is_gone = not storage.exists(name)
    except (DomainError, OSError, ValueError) as error:
        return [
            wrong(
                "store",
                f"The store of media does not work: {error}",
                "Correct STORAGE_URL, or the rights of its key: read, write, list and delete.",
            )
        ]
    if is_same and is_gone:
        return []
    what = "gives other bytes than it was given" if not is_same else "deletes nothing"
    return [wrong("store", f"The store of media {what}.", "Look at the bucket's own settings.")]


def _own_address(config: Config) -> list[Finding]:
    if not config.is_https:
        return []
    address = f"{config.PUBLIC_URL}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 - https
            body = answer.read(200)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return [
                wrong(
                    "address",
                    f"{config.PUBLIC_URL} has no certificate that browsers believe: "
                    f"{error.reason}.",
                    "Renew the certificate of TLS, with those that lead to its issuer.",
                )
            ]
        return [_not_reached(config, str(error.reason))]
    except OSError as error:
        return [_not_reached(config, str(error))]
    if re.fullmatch(rb'\s*\{\s*"status"\s*:\s*"ok"\s*\}\s*', body):
        return []
    return [
        wrong(
            "address",
            f"Something else than this program answers at {config.PUBLIC_URL}.",
            "Correct PUBLIC_URL or what nginx leads to.",
        )
    ]


def _not_reached(config: Config, reason: str) -> Finding:
    return advice(
        "address",
        f"{config.PUBLIC_URL} does not answer from this machine: {reason}.",
        "Look whether it does from outside; if not, correct PUBLIC_URL, DNS or nginx.",
    )
