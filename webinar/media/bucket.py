"""A bucket of an S3-compatible store as the storage of media.

Importing this module costs a third of a second; `wsgi` imports it only where STORAGE_URL names a
bucket. What was put is durable when the store has answered; its sums say that all of it arrived.
"""

import base64
import hashlib
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from webinar.media.storage import (
    STORES,
    DamagedFile,
    NoSuchFile,
    Storage,
    StorageUnreachable,
    checked_name,
)

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 4  # the first one included; the client waits up to some seconds in between
READ_ATTEMPTS = 3  # of a body that breaks off on its way
CONNECTIONS = 32  # as many requests at once as a server has threads
DELETED_AT_ONCE = 1000  # the most the protocol allows
USUAL_REGION = "us-east-1"
SUM = "sha256"  # the name of our own checksum, beside the object
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})

_making = threading.Lock()


@dataclass(frozen=True)
class BucketAddress:
    """What a STORAGE_URL says. Without `endpoint` it is Amazon; without `key`, the environment's
    own credentials are used (a role of the machine, for instance)."""

    endpoint: str | None
    key: str | None
    secret: str | None
    bucket: str
    region: str


class _Body(Protocol):
    def read(self) -> bytes: ...
    def close(self) -> None: ...


class _Pages(Protocol):
    def paginate(self, **parameters: object) -> Iterator[dict[str, list[dict[str, str]]]]: ...


class _Client(Protocol):
    """What of the S3 client is used here."""

    def put_object(self, **parameters: object) -> dict[str, object]: ...
    def get_object(self, **parameters: object) -> dict[str, object]: ...
    def head_object(self, **parameters: object) -> dict[str, object]: ...
    def delete_object(self, **parameters: object) -> dict[str, object]: ...
    def delete_objects(self, **parameters: object) -> dict[str, object]: ...
    def get_paginator(self, operation: str) -> _Pages: ...


def address_of(url: str) -> BucketAddress:
    """`s3://key:secret@host:9000/bucket?region=eu-1`; raises ValueError for anything else."""
    parts = urlsplit(url)
    bucket = parts.path.strip("/")
    query = parse_qs(parts.query)
    if (
        parts.scheme not in ("s3", "s3+http")
        or not bucket
        or "/" in bucket
        or set(query) - {"region"}
    ):
        raise ValueError(
            "STORAGE_URL of a bucket is s3://key:secret@host:9000/bucket, with ?region= if need be."
        )
    endpoint = None
    if parts.hostname:
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = f":{parts.port}" if parts.port else ""
        endpoint = f"{'http' if parts.scheme == 's3+http' else 'https'}://{host}{port}"
    return BucketAddress(
        endpoint=endpoint,
        key=unquote(parts.username) if parts.username else None,
        secret=unquote(parts.password) if parts.password else None,
        bucket=bucket,
        region=query.get("region", [USUAL_REGION])[0],
    )


class BucketStorage:
    """Names to bytes in one bucket. Any number of threads may use it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bucket = address_of(url).bucket

    def put(self, name: str, data: bytes) -> None:
        """Store the bytes under the name; raises StorageUnreachable.

        Two sums go along: one that every such store compares before it says yes, and one that
        stays with the object and is compared whenever it is read.
        """
        digest = hashlib.sha256(data)
        self._ask(
            "put",
            checked_name(name),
            Body=data,
            ContentMD5=base64.b64encode(_md5(data)).decode(),
            ContentType="application/octet-stream",
            Metadata={SUM: digest.hexdigest()},
        )

    def read(self, name: str) -> bytes:
        """The bytes under the name; raises NoSuchFile, DamagedFile, StorageUnreachable."""
        checked_name(name)
        for attempt in range(1, READ_ATTEMPTS + 1):
            answer = self._ask("get", name)
            body = cast(_Body, answer["Body"])
            try:
                data = body.read()
            except (BotoCoreError, HTTPClientError) as broken:
                if attempt == READ_ATTEMPTS:
                    raise _unreachable() from broken
                continue
            finally:
                body.close()
            stored = cast(dict[str, str], answer.get("Metadata", {})).get(SUM)
            if stored is None or stored == hashlib.sha256(data).hexdigest():
                return data
            log.error("the bucket gave other bytes than were stored: %s", name)
        raise DamagedFile("A stored file is damaged. Please tell the administrator.")

    def exists(self, name: str) -> bool:
        """True if something is stored under the name."""
        try:
            self._ask("head", checked_name(name))
        except NoSuchFile:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        """All names in the folder of this name and below, in no order; not there is none."""
        folder = checked_name(prefix) + "/"
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=folder):
                for found in page.get("Contents", []):
                    yield found["Key"]
        except (BotoCoreError, ClientError) as failure:
            raise _unreachable() from failure

    def delete(self, name: str) -> None:
        """Delete what is under the name; not there is fine."""
        self._ask("delete", checked_name(name))

    def delete_prefix(self, prefix: str) -> None:
        """Delete the folder of this name with all it holds; not there is fine."""
        names = list(self.names(prefix))
        for start in range(0, len(names), DELETED_AT_ONCE):
            self._delete_all(names[start : start + DELETED_AT_ONCE])

    @property
    def _client(self) -> _Client:
        with _making:
            return _client_for(self._url)

    def _delete_all(self, names: Sequence[str]) -> None:
        wanted = {"Objects": [{"Key": name} for name in names], "Quiet": True}
        try:
            answer = self._client.delete_objects(Bucket=self._bucket, Delete=wanted)
        except (BotoCoreError, ClientError) as failure:
            raise _unreachable() from failure
        if left := answer.get("Errors"):
            log.error("the bucket did not delete everything: %s", left)
            raise _unreachable()

    def _ask(self, what: str, name: str, **more: object) -> dict[str, object]:
        calls = {
            "put": self._client.put_object,
            "get": self._client.get_object,
            "head": self._client.head_object,
            "delete": self._client.delete_object,
        }
        try:
            return calls[what](Bucket=self._bucket, Key=name, **more)
        except ClientError as refusal:
            code = str(refusal.response.get("Error", {}).get("Code"))
            if code in ABSENT and what in ("get", "head"):
                raise NoSuchFile("There is no such file.") from refusal
            log.error("the bucket refused to %s %s: %s", what, name, code)
            raise _unreachable() from refusal
        except BotoCoreError as failure:
            log.error("the bucket does not answer: %s", failure)
            raise _unreachable() from failure


def _md5(data: bytes) -> bytes:
    # Not for secrecy: the one sum that every store of this kind compares (RFC 1864).
    return hashlib.md5(data, usedforsecurity=False).digest()


def _unreachable() -> StorageUnreachable:
    return StorageUnreachable(
        "The store of the recordings does not answer. Try again in a minute; "
        "if it stays so, tell the administrator."
    )


@lru_cache(maxsize=8)
def _client_for(url: str) -> _Client:
    """One client for each bucket and process: making one takes a tenth of a second."""
    address = address_of(url)
    settings = ClientConfig(
        region_name=address.region,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        signature_version="s3v4",
        # Ours go along already; other stores than Amazon's do not know the newer ones.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if address.endpoint else "auto"},
    )
    session = boto3.session.Session(
        aws_access_key_id=address.key,
        aws_secret_access_key=address.secret,
        region_name=address.region,
    )
    return cast(_Client, session.client("s3", endpoint_url=address.endpoint, config=settings))


def _open(url: str) -> Storage:
    return BucketStorage(url)


STORES.update({"s3": _open, "s3+http": _open})
