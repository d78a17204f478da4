"""The refusals of the domain: each message may be shown to a person."""


class DomainError(Exception):
    """A rule said no. The message is a sentence that says what to do."""

    status = 422


class NotYet(DomainError):
    """It will be allowed later."""

    status = 403


class NotAllowed(DomainError):
    """This person may not do that."""

    status = 403


class NotFound(DomainError):
    """There is no such thing, or none this person may know of."""

    status = 404


class Gone(DomainError):
    """It was here and has ended for good (RFC 9110, 15.5.11)."""

    status = 410


class Conflict(DomainError):
    """What was sent contradicts what is already stored."""

    status = 409
