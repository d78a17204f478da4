"""A video on its way to a recording."""

from enum import StrEnum


class UploadState(StrEnum):
    """Where an upload stands: bytes come, wait for the worker, are packaged, are done with."""

    UPLOADING = "uploading"
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class UploadPurpose(StrEnum):
    """What the video becomes: the session's recording, or a better one in place of it."""

    IMPORT = "import"
    REPLACE = "replace"
