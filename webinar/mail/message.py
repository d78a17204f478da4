"""A message that is ready to go: bytes for a mail server, and the addresses of its envelope."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadyMail:
    """One message to one person."""

    name: str
    """Tells it apart in logs and folders, without saying whom it is for."""
    message_id: str
    sender: str
    """Of the envelope: where it comes back to."""
    recipient: str
    content: bytes
    """Lines end with CRLF; in ASCII."""
