"""The first line of an answer that is given in front of Flask."""

from http import HTTPStatus


def status_line(status: int) -> str:
    """`404 Not Found`, in the words of the standard library."""
    return f"{status} {HTTPStatus(status).phrase}"
