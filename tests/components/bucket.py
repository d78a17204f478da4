"""A bucket over HTTP for the tests: moto's server in this process, on a free port."""

from types import TracebackType
from typing import Self

import boto3
from moto.server import ThreadedMotoServer

import webinar.media.bucket  # noqa: F401 -- as wsgi does where STORAGE_URL names a bucket
from tests.components.servers import free_port


class BucketServer:
    """`with BucketServer() as server: BucketStorage(server.url)`."""

    def __init__(self) -> None:
        self.port = free_port()
        # All servers of one process keep their buckets in one place: each has its own.
        self.name = f"recordings-{self.port}"
        self.url = f"s3+http://tester:secret@127.0.0.1:{self.port}/{self.name}"
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)

    def __enter__(self) -> Self:
        self._server.start()
        self._client = boto3.session.Session("tester", "secret").client(
            "s3", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{self.port}"
        )
        self._client.create_bucket(Bucket=self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self._server.stop()

    def empty(self) -> None:
        """Leave the bucket with nothing in it."""
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name):
            for found in page.get("Contents", []):
                self._client.delete_object(Bucket=self.name, Key=found["Key"])

    def replace(self, name: str, data: bytes) -> None:
        """Other bytes under the name, with the sums that were stored with the old ones."""
        old = self._client.head_object(Bucket=self.name, Key=name)
        self._client.put_object(Bucket=self.name, Key=name, Body=data, Metadata=old["Metadata"])
