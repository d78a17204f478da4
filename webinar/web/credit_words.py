"""Reasons of decisions in a few words, for lists; the sentence with the numbers stands beside."""

from webinar.domain.credit import PENDING, Reason
from webinar.models import CreditDecision
from webinar.web.manage.states import Mark

REASON_WORDS = {
    Reason.NO_GRANT: "No accreditation",
    Reason.CREDIT_WINDOW_CLOSED: "After the credit clock",
    Reason.DUPLICATE_ACTIVITY: "Credited already",
    Reason.PENDING_IDENTIFIER: "Number missing",
    Reason.SESSION_TOO_SHORT: "Session too short",
    Reason.BELOW_PRESENCE: "Not there enough",
    Reason.CHECKS_MISSING: "Checks not answered",
    Reason.PENDING_TEST: "Test missing",
    Reason.TEST_FAILED: "Test failed",
    Reason.TEST_LATE: "Test too late",
    Reason.PENDING_EVALUATION: "Evaluation missing",
    Reason.EVALUATION_LATE: "Evaluation too late",
    Reason.OK: "Earned",
    Reason.ZERO_AFTER_ROUNDING_OR_CAP: "Nothing after rounding",
}


def mark_of_decision(decision: CreditDecision) -> Mark:
    """The one mark of what stands for a person under a grant."""
    if decision.reason is Reason.OK:
        return Mark("credit", REASON_WORDS[decision.reason])
    kind = "opens" if decision.reason in PENDING else "closed"
    return Mark(kind, REASON_WORDS[decision.reason])
