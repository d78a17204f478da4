"""A credit policy in one sentence, for whoever chooses it and for whoever it binds."""

from decimal import Decimal
from fractions import Fraction

from webinar.domain.attendance import ViewingMode
from webinar.domain.figures import hours_in_words, percent, plain_credit
from webinar.domain.policy import Award, CountingWindow, CreditPolicy, Rounding
from webinar.domain.wording import plural


def words_of(policy: CreditPolicy, *, granted: Decimal | None = None, unit: str = "credit") -> str:
    """What the policy gives for what; with the amount `granted` in `unit` where one is granted."""
    needs = _joined(_needs(policy))
    end = f"; it needs {needs}." if needs else "; nothing else is needed."
    return f"{_start(policy)} {_amount(policy, granted, unit)}{end}"


def most_for(policy: CreditPolicy, seconds: int) -> Decimal | None:
    """What a session of that length can earn; None where the policy's data does not say."""
    if policy.award is Award.FLAT:
        return None
    units = Fraction(seconds, policy.unit_minutes * 60)
    whole = units if policy.rounding is Rounding.FLOOR else units + Fraction(1, 2)
    return policy.credit_per_unit * int(whole)


def amount_words(amount: Decimal, unit: str) -> str:
    """0.5 ECMEC, 1 point, 2 points: a unit in capitals stays as it is."""
    is_name = unit != unit.lower()
    return f"{plain_credit(amount)} {unit}{'' if is_name or amount <= 1 else 's'}"


def _start(policy: CreditPolicy) -> str:
    if policy.mode is ViewingMode.LIVE:
        return "Being there live earns"
    if policy.mode is ViewingMode.FACULTY:
        return "Presenting earns"
    return "Watching the recording earns"


def _amount(policy: CreditPolicy, granted: Decimal | None, unit: str) -> str:
    whole = "it" if policy.mode is ViewingMode.RECORDED else "the session"
    threshold = policy.threshold
    if policy.award is Award.FLAT:
        most = "all the credit granted" if granted is None else amount_words(granted, unit)
        share = f"from {percent(threshold)} of {whole}" if threshold else "however much is seen"
        words = f"{most} {share}"
    else:
        per_unit = amount_words(policy.credit_per_unit, unit)
        if policy.rounding is Rounding.FLOOR:
            each = f"every full {policy.unit_minutes} minutes"
        else:
            each = f"every {policy.unit_minutes} minutes, to the nearest"
        most = "the credit granted" if granted is None else amount_words(granted, unit)
        words = f"{per_unit} for {each}, up to {most}"
        if threshold:
            words += f", from {percent(threshold)} of {whole}"
    if policy.window is CountingWindow.ACTUAL:
        words += ", counted from its real start to its real end"
    if policy.min_session_minutes:
        words += f", if it lasts {policy.min_session_minutes} minutes or more"
    if policy.max_per_day is not None:
        words += f", at most {plain_credit(policy.max_per_day)} a day"
    return words


def _needs(policy: CreditPolicy) -> list[str]:
    needs = []
    if policy.requires_identifier is not None:
        needs.append(f"the person’s {policy.requires_identifier}")
    if policy.min_wall_ratio:
        needs.append(f"{percent(policy.min_wall_ratio)} of its length by the clock")
    if policy.min_checks_answered:
        needs.append(f"an answer to {plural(policy.min_checks_answered, 'attention check')}")
    if policy.min_checks_ratio:
        needs.append(f"an answer to {percent(policy.min_checks_ratio)} of the attention checks")
    if policy.test_required:
        needs.append(_test(policy))
    if policy.evaluation_required:
        needs.append(_evaluation(policy))
    return needs


def _test(policy: CreditPolicy) -> str:
    if policy.pass_correct is not None and policy.pass_of is not None:
        mark = f"{policy.pass_correct} of {policy.pass_of} right"
    elif policy.pass_ratio:
        mark = f"{percent(policy.pass_ratio)} right"
    else:
        mark = "any result"
    conditions = [mark]
    if policy.test_deadline_hours is not None:
        conditions.append(f"within {hours_in_words(policy.test_deadline_hours)} of the end")
    if policy.max_attempts is not None:
        conditions.append(plural(policy.max_attempts, "try", "tries"))
    if policy.retry_wait_hours:
        conditions.append(f"{hours_in_words(policy.retry_wait_hours)} between tries")
    return f"the test ({', '.join(conditions)})"


def _evaluation(policy: CreditPolicy) -> str:
    days = policy.evaluation_deadline_days
    return "the evaluation" if days is None else f"the evaluation within {plural(days, 'day')}"


def _joined(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
