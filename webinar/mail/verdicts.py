"""What becomes of a message that could not be handed over."""

import re

# RFC 3463, at the head of the words behind the code.
ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
# No such mailbox, no such host, not an address, moved away, takes no mail; switched off.
NO_SUCH_ADDRESS = re.compile(r"5\.(1\.([1236]|10)|2\.1)")
# Of the address, of its mailbox; greylisted.
ABOUT_ONE_MAIL = re.compile(r"4\.([12]\.\d+|7\.1)")
# RFC 5321, 4.2.2: a mailbox that is busy or that waits for a second try.
MAILBOX_BUSY = 450


class NotSent(Exception):
    """The message is not out, but a later try may succeed."""

    def __init__(self, words: str, *, is_about_mail: bool = False) -> None:
        super().__init__(words)
        self.is_about_mail = is_about_mail
        """True if the server said so of this message or its reader, and may take the next."""


class ServerAway(NotSent):
    """The mail server takes nothing from us just now; it is not about this message."""


class HungUp(NotSent):
    """It had enough of a connection that others went over; on a new one it may take this."""


class CutOff(NotSent):
    """It ended a new connection when it knew whose message this is: perhaps because of it."""


class Refused(Exception):
    """The mail server will never take this message for this person."""

    def __init__(self, words: str, *, is_no_address: bool = False) -> None:
        super().__init__(words)
        self.is_no_address = is_no_address
        """True if the server said that nobody has this address, and not that it dislikes us."""


def verdict(code: int, words: str) -> NotSent | Refused:
    """RFC 5321, 4.2.1: 5xx is for good, anything else is for now; 421 ends the connection."""
    text = f"{code} {words}"
    enhanced = ENHANCED.match(words)
    status = enhanced[1] if enhanced else ""
    if 500 <= code < 600:
        return Refused(text, is_no_address=bool(NO_SUCH_ADDRESS.fullmatch(status)))
    is_about_mail = code == MAILBOX_BUSY or bool(ABOUT_ONE_MAIL.fullmatch(status))
    return NotSent(text, is_about_mail=is_about_mail)
