"""What people may say against a count: corrections, appeals and how far they have come."""

from enum import StrEnum


class CorrectionKind(StrEnum):
    """What a correction changes in the facts of a person's case."""

    ADD_PRESENCE = "add_presence"
    REMOVE_PRESENCE = "remove_presence"
    WAIVE_CHECKS = "waive_checks"
    MORE_TIME = "more_time"


# What was done, for lists of corrections.
CORRECTION_WORDS: dict[CorrectionKind, str] = {
    CorrectionKind.ADD_PRESENCE: "Presence added",
    CorrectionKind.REMOVE_PRESENCE: "Presence taken away",
    CorrectionKind.WAIVE_CHECKS: "Checks waived",
    CorrectionKind.MORE_TIME: "More time",
}


def correction_words(kind: CorrectionKind) -> str:
    """`Presence added`."""
    return CORRECTION_WORDS[kind]


class CorrectionState(StrEnum):
    """Only an approved correction counts; whoever proposed it cannot approve it."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class AppealState(StrEnum):
    """How far an appeal has come."""

    OPEN = "open"
    UPHELD = "upheld"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class MatchedBy(StrEnum):
    """How a visit of an imported report came to belong to a person."""

    NOBODY = "nobody"
    ADDRESS = "address"
    PSEUDONYM = "pseudonym"
    HAND = "hand"
    DISMISSED = "dismissed"
    """A person looked and said: this is none of ours."""
