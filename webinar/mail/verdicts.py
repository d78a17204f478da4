"""What becomes of a message that could not be handed over."""

import re

# RFC 3463, at the head of the words behind the code.
ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
# No such mailbox, no such host, not an address, moved away, takes no mail; switched off.
NO_SUCH_ADDRESS = re.compile(r"5\.(1\.([1236]|10)|2\.1)")


class NotSent(Exception):
    """The message is not out, but a later try may succeed."""


class ServerAway(NotSent):
    """The mail server takes nothing from us just now; it is not about this message."""


class HungUp(NotSent):
    """It had enough of a connection that others went over; on a new one it may take this."""


class Refused(Exception):
    """The mail server will never take this message for this person."""

    def __init__(self, words: str, *, is_no_address: bool = False) -> None:
        super().__init__(words)
        self.is_no_address = is_no_address
        """True if the server said that nobody has this address, and not that it dislikes us."""


def verdict(code: int, words: str) -> NotSent | Refused:
    """RFC 5321, 4.2.1: 5xx is for good, 421 is about us all, anything else is for now."""
    text = f"{code} {words}"
    if code == 421:
        return ServerAway(text)
    if not 500 <= code < 600:
        return NotSent(text)
    enhanced = ENHANCED.match(words)
    return Refused(
        text, is_no_address=enhanced is not None and bool(NO_SUCH_ADDRESS.fullmatch(enhanced[1]))
    )
