"""Evidence, grant, test and evaluation into credit: one pure function, exact to the second."""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil

from webinar.domain.attendance import ViewingMode
from webinar.domain.canonical import canonical_json

# Credit's vocabulary has one door.
from webinar.domain.case import BEFORE_COUNTING as BEFORE_COUNTING
from webinar.domain.case import MODE_NAMES as MODE_NAMES
from webinar.domain.case import PENDING as PENDING
from webinar.domain.case import CaseFacts as CaseFacts
from webinar.domain.case import Decision as Decision
from webinar.domain.case import Grant as Grant
from webinar.domain.case import GrantStatus as GrantStatus
from webinar.domain.case import Reason as Reason
from webinar.domain.case import TestResult as TestResult
from webinar.domain.counting import Counted, count, notes
from webinar.domain.figures import hours_in_words, minutes_and_seconds, percent, plain_credit
from webinar.domain.policy import Award, OutageRule, Rounding
from webinar.domain.policy import CreditPolicy as CreditPolicy
from webinar.domain.wording import plural


@dataclass(frozen=True)
class _Verdict:
    reason: Reason
    explanation: str
    next_step: str | None = None
    credit: Decimal = Decimal(0)


def decide(policy: CreditPolicy, facts: CaseFacts) -> Decision:
    """Apply the policy; the first rule that is not met names the reason."""
    counted = counted_of(policy, facts)
    refusal = (
        _grant_refusal(policy, facts)
        or _person_refusal(policy, facts)
        or _presence_refusal(policy, facts, counted)
        or _test_refusal(policy, facts, counted)
        or _evaluation_refusal(policy, facts, counted)
    )
    verdict = refusal or _amount(policy, facts, counted)
    explanation = [verdict.explanation]
    if verdict.reason not in BEFORE_COUNTING:
        explanation += notes(counted, policy.outage, policy.body)
        if facts.checks_waived and _checks_needed(policy, facts) > facts.checks_answered:
            explanation.append("The attention checks were waived by a correction.")
    return Decision(
        credit=verdict.credit,
        reason=verdict.reason,
        explanation=" ".join(explanation),
        seconds_counted=counted.seconds,
        window_seconds=counted.window_seconds,
        next_step=verdict.next_step,
    )


def counted_of(policy: CreditPolicy, facts: CaseFacts) -> Counted:
    """The seconds that count under the policy, once each, whatever the number of devices.

    Nobody gets less because an outage was declared: where taking it out of the session would give
    less than leaving it in (a unit that is no longer full), it stays in.
    """
    counted = _count(facts, policy.outage)
    if policy.outage is not OutageRule.EXCLUDED or not counted.outage_seconds:
        return counted
    left_in = _count(facts, OutageRule.NOTHING)
    if _worth(policy, facts, left_in) > _worth(policy, facts, counted):
        return replace(left_in, outage_left_in=True)
    return counted


def _count(facts: CaseFacts, rule: OutageRule) -> Counted:
    return count(
        facts.window,
        facts.evidence,
        added=facts.added,
        removed=facts.removed,
        outages=facts.outages,
        rule=rule,
    )


def _worth(policy: CreditPolicy, facts: CaseFacts, counted: Counted) -> Decimal:
    """The credit once all papers are there; less than none for who was not there enough."""
    if _presence_refusal(policy, facts, counted) is not None:
        return Decimal(-1)
    return _amount(policy, facts, counted).credit


def deadline_hours(policy_hours: Fraction | None, given_hours: Fraction | None) -> Fraction | None:
    """A policy's deadline, or the later one a correction gave; None: no deadline."""
    if policy_hours is None or given_hours is None:
        return policy_hours
    return max(policy_hours, given_hours)


def hash_of_inputs(policy: CreditPolicy, facts: CaseFacts) -> str:
    """SHA-256 over the canonical JSON of all inputs; evidence enters as its union.

    The same ground in another order or in other pieces has the same hash, and so
    have 1 and 1.0; notes on sources do not enter.
    """
    # As canonical_json writes an object of both; the same policy comes with thousands of cases.
    document = f'{{"facts":{canonical_json(facts)},"policy":{_canonical_policy(policy)}}}'
    return hashlib.sha256(document.encode()).hexdigest()


@lru_cache(maxsize=64)
def _canonical_policy(policy: CreditPolicy) -> str:
    return canonical_json(policy)


def _grant_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Verdict | None:
    grant, body = facts.grant, policy.body
    if grant.status is GrantStatus.APPLIED:
        return _Verdict(
            Reason.NO_GRANT,
            f"Accreditation by {body} has been applied for and is not decided.",
            f"Nothing to do: when {body} decides, your credit is worked out again.",
        )
    if grant.status is not GrantStatus.GRANTED:
        words = {
            GrantStatus.NONE: f"There is no accreditation by {body} for this activity.",
            GrantStatus.REFUSED: f"{body} refused accreditation for this activity.",
            GrantStatus.WITHDRAWN: f"The accreditation by {body} was withdrawn.",
        }
        return _Verdict(Reason.NO_GRANT, words[grant.status])
    if not (grant.mode == policy.mode == facts.mode):
        return _Verdict(
            Reason.NO_GRANT,
            f"This accreditation by {body} is for {MODE_NAMES[grant.mode]} and does not "
            f"serve {MODE_NAMES[facts.mode]}.",
        )
    at = facts.credit_at
    if at is not None and grant.credit_from is not None and at < grant.credit_from:
        return _Verdict(
            Reason.CREDIT_WINDOW_CLOSED,
            f"{body} gives credit from {grant.credit_from:%Y-%m-%d %H:%M} UTC only.",
        )
    if at is not None and grant.credit_until is not None and at >= grant.credit_until:
        return _Verdict(
            Reason.CREDIT_WINDOW_CLOSED,
            f"{body} gave credit until {grant.credit_until:%Y-%m-%d %H:%M} UTC; "
            "watching stays possible, without credit.",
        )
    return None


def _person_refusal(policy: CreditPolicy, facts: CaseFacts) -> _Verdict | None:
    if facts.presented:
        return _Verdict(
            Reason.DUPLICATE_ACTIVITY,
            f"You presented in this session; {policy.body} gives credit for presenting, and not "
            "for being there as well.",
        )
    if policy.once and facts.already_credited:
        return _Verdict(
            Reason.DUPLICATE_ACTIVITY,
            f"You already hold {policy.body} credit for this activity; it counts once, "
            "live or recorded.",
        )
    if facts.is_repeat:
        return _Verdict(
            Reason.DUPLICATE_ACTIVITY,
            f"You gave this talk before; {policy.body} gives credit for the first time.",
        )
    if policy.requires_identifier is not None and not facts.identifier:
        return _Verdict(
            Reason.PENDING_IDENTIFIER,
            f"{policy.body} needs your {policy.requires_identifier}; your credit "
            "is held, not lost.",
            f"Enter your {policy.requires_identifier} in your profile.",
        )
    return None


def _presence_refusal(policy: CreditPolicy, facts: CaseFacts, counted: Counted) -> _Verdict | None:
    seconds, window = counted.seconds, counted.window_seconds
    # An outage does not make the session shorter than it was announced and held.
    length = facts.window.end - facts.window.start
    if length < policy.min_session_minutes * 60:
        return _Verdict(
            Reason.SESSION_TOO_SHORT,
            f"The session lasted {minutes_and_seconds(length)}; {policy.body} gives credit "
            f"from {policy.min_session_minutes} minutes.",
        )
    if facts.mode is ViewingMode.FACULTY and seconds == 0:
        return _Verdict(Reason.BELOW_PRESENCE, "Nothing is confirmed that you presented.")
    if window == 0 and counted.outage_seconds:
        return _Verdict(
            Reason.BELOW_PRESENCE, "Nothing could be seen of the session, so nothing can count."
        )
    if seconds < policy.threshold * window:
        needed = ceil(policy.threshold * window)
        missing = minutes_and_seconds(needed - seconds)
        return _Verdict(
            Reason.BELOW_PRESENCE,
            f"{_words(facts, counted)} ({percent(Fraction(seconds, window))}); {policy.body} needs "
            f"{minutes_and_seconds(needed)} ({percent(policy.threshold)}): {missing} short.",
            f"Watch {missing} more that you have not seen yet."
            if facts.mode is ViewingMode.RECORDED
            else None,
        )
    if facts.wall_seconds is not None and facts.wall_seconds < policy.min_wall_ratio * window:
        return _Verdict(
            Reason.BELOW_PRESENCE,
            f"The recording ran for {minutes_and_seconds(facts.wall_seconds)}; {policy.body} "
            f"needs {percent(policy.min_wall_ratio)} of {minutes_and_seconds(window)}.",
        )
    checks = _checks_needed(policy, facts)
    if facts.checks_answered < checks and not facts.checks_waived:
        return _Verdict(
            Reason.CHECKS_MISSING,
            f"You answered {facts.checks_answered} attention checks; {policy.body} needs {checks}.",
        )
    return None


def _checks_needed(policy: CreditPolicy, facts: CaseFacts) -> int:
    return max(policy.min_checks_answered, ceil(policy.min_checks_ratio * facts.checks_issued))


def _test_refusal(policy: CreditPolicy, facts: CaseFacts, counted: Counted) -> _Verdict | None:
    if not policy.test_required:
        return None
    test = facts.test
    deadline = deadline_hours(policy.test_deadline_hours, facts.papers_until_hours)
    over = _is_over(facts.hours_since_end, deadline)
    if test is None:
        if over:
            return _Verdict(
                Reason.TEST_LATE,
                f"{policy.body} needs the test within {_deadline(deadline)} of the end; "
                "it was not taken in time.",
            )
        until = "" if deadline is None else f" within {_deadline(deadline)} of the end"
        return _Verdict(
            Reason.PENDING_TEST,
            f"{_words(facts, counted)}; {policy.body} gives the credit after the test.",
            f"Take the test{until}.",
        )
    mark = policy.pass_mark
    if mark is not None and test.correct < mark * test.of:
        needed = ceil(mark * test.of)
        return _Verdict(
            Reason.TEST_FAILED,
            f"You have {test.correct} of {test.of} answers right; {policy.body} needs {needed}.",
            None if over else "Take the test again if an attempt is left.",
        )
    if _is_over(test.hours_after_end, deadline):
        return _Verdict(
            Reason.TEST_LATE,
            f"You took the test more than {_deadline(deadline)} after the end, later than "
            f"{policy.body} allows.",
        )
    return None


def _evaluation_refusal(
    policy: CreditPolicy, facts: CaseFacts, counted: Counted
) -> _Verdict | None:
    if not policy.evaluation_required:
        return None
    days = policy.evaluation_deadline_days
    stated = None if days is None else Fraction(days * 24)
    deadline = deadline_hours(stated, facts.papers_until_hours)
    asked_at = facts.evaluation_hours_after_end if facts.evaluation else facts.hours_since_end
    if _is_over(asked_at, deadline):
        return _Verdict(
            Reason.EVALUATION_LATE,
            f"{policy.body} needs the evaluation within {_days(deadline)} of the end; "
            "it did not come in time.",
        )
    if facts.evaluation:
        return None
    until = "" if deadline is None else f" within {_days(deadline)} of the end"
    return _Verdict(
        Reason.PENDING_EVALUATION,
        f"{_words(facts, counted)}; {policy.body} gives the credit after the evaluation.",
        f"Fill in the evaluation{until}.",
    )


def _amount(policy: CreditPolicy, facts: CaseFacts, counted: Counted) -> _Verdict:
    granted = facts.grant.credits
    if policy.award is Award.FLAT:
        credit = granted
        rule = f"{policy.body} gives {_credits(granted)}"
        if policy.threshold > 0:
            needed = ceil(policy.threshold * counted.window_seconds)
            rule += f" from {minutes_and_seconds(needed)} ({percent(policy.threshold)})"
    else:
        units = Fraction(counted.seconds, policy.unit_minutes * 60)
        whole = units if policy.rounding is Rounding.FLOOR else units + Fraction(1, 2)
        credit = policy.credit_per_unit * int(whole)
        how = "whole units only" if policy.rounding is Rounding.FLOOR else "to the nearest unit"
        rule = (
            f"{policy.body} gives {plain_credit(policy.credit_per_unit)} per "
            f"{policy.unit_minutes} minutes, {how}"
        )
        if credit > granted:
            credit = granted
            rule += f", and granted {plain_credit(granted)} for this session"
    if policy.max_per_day is not None:
        left = max(policy.max_per_day - facts.earned_today, Decimal(0))
        if credit > left:
            credit = left
            rule += (
                f", at most {plain_credit(policy.max_per_day)} a day, of which "
                f"{plain_credit(facts.earned_today)} already earned"
            )
    if policy.award is Award.PROPORTIONAL or credit != granted:
        rule += f": {_credits(credit)}"
    return _Verdict(
        reason=Reason.OK if credit > 0 else Reason.ZERO_AFTER_ROUNDING_OR_CAP,
        explanation=f"{_words(facts, counted)}; {rule}.",
        credit=credit,
    )


def _is_over(hours: Fraction | None, deadline: Fraction | None) -> bool:
    return hours is not None and deadline is not None and hours > deadline


def _words(facts: CaseFacts, counted: Counted) -> str:
    seconds = minutes_and_seconds(counted.seconds)
    what = "presented" if facts.mode is ViewingMode.FACULTY else "counted"
    return f"{seconds} of {minutes_and_seconds(counted.window_seconds)} {what}"


def _credits(credit: Decimal) -> str:
    if credit == 0:
        return "no credit"
    return f"{plain_credit(credit)} credit{'s' if credit > 1 else ''}"


def _deadline(hours: Fraction | None) -> str:
    return "the deadline" if hours is None else hours_in_words(hours)


def _days(hours: Fraction | None) -> str:
    """Whole days as days, anything else as hours."""
    if hours is None or hours % 24:
        return _deadline(hours)
    return plural(int(hours // 24), "day")
