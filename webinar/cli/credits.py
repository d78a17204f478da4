"""flask credits decide: recompute cases from the command line, one JSON line each."""

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import BinaryIO

import click

from webinar.db import read_db
from webinar.domain.credit import CaseFacts, Decision, Grant, GrantStatus, TestResult, decide
from webinar.domain.figures import plain_credit
from webinar.domain.policy import CreditPolicy
from webinar.domain.policy_words import words_of
from webinar.domain.span import Span
from webinar.services import accreditation, sessions
from webinar.services import credits as stored_credits
from webinar.services.policies import seed_policies
from webinar.services.policy_versions import rule_of

KNOWN_FIELDS = frozenset(
    {
        "id",
        "desc",
        "policy",
        "window",
        "intervals",
        "grant",
        "status",
        "checks_answered",
        "checks_issued",
        "test",
        "evaluation",
        "evaluation_hours_after_end",
        "hours_since_end",
        "identifier",
        "already_credited",
        "earned_today",
        "wall_seconds",
    }
)
REMARKS = ("expect_", "_")
"""What begins like this is for readers, or for whoever compares the answers."""
INLINE_NAME = "inline"
MAX_DECIMALS = 9


@click.group("credits")
def credits() -> None:
    """Work out credit."""


@credits.command("decide")
@click.argument("cases", type=click.File("rb"), default="-")
def decide_command(cases: BinaryIO) -> None:
    """Decide CASES, JSON lines (standard input by default), and print a JSON line for each.

    A case has id, policy (the name of a shipped policy, or an object), window and intervals in
    seconds, grant, and where they matter test, evaluation, identifier, checks_answered,
    already_credited, earned_today. Without a grant there is none. A line that cannot be
    read ends the run with status 2.
    """
    policies = seed_policies()
    for number, line in enumerate(cases, start=1):
        if not line.strip():
            continue
        try:
            answer = _answer(line.strip(), policies)
        except ValueError as wrong:
            click.echo(f"Line {number}: {wrong}", err=True)
            raise click.exceptions.Exit(2) from None
        click.echo(answer)


@credits.command("replay")
@click.argument("session")
def replay_command(session: str) -> None:
    """Decide all cases of SESSION (its public id) again from the facts stored beside them.

    Prints what comes out otherwise; status 1 if anything does.
    """
    with read_db() as db:
        found = sessions.by_public_id(db, session)
        differences = stored_credits.replay(db, found.id)
        for difference in differences:
            click.echo(difference.words)
    if differences:
        raise click.exceptions.Exit(1)
    click.echo("Every decision comes out as it is stored.")


@credits.command("grants")
@click.argument("session")
def grants_command(session: str) -> None:
    """Print what SESSION (its public id) earns, a grant a line."""
    with read_db() as db:
        found = sessions.by_public_id(db, session)
        for grant in accreditation.grants_of(db, found.id):
            unit = grant.accreditor.unit
            rules = rule_of(grant.policy).rules
            words = words_of(rules, granted=grant.credits_granted, unit=unit)
            click.echo(f"{grant.accreditor.short_name}  {grant.status:<9}  {words}")


def _answer(line: bytes, policies: Mapping[str, CreditPolicy]) -> str:
    try:
        case = json.loads(
            line.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8.") from None
    except json.JSONDecodeError as wrong:
        raise ValueError(f"this is not JSON: {wrong.msg} at column {wrong.colno}.") from None
    except RecursionError:
        raise ValueError("this JSON is nested too deeply.") from None
    if not isinstance(case, dict):
        raise ValueError("a case must be a JSON object.")
    unknown = [key for key in case if key not in KNOWN_FIELDS and not key.startswith(REMARKS)]
    if unknown:
        raise ValueError(f"unknown field {unknown[0]!r}.")
    identity = case.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise ValueError("'id' must be a text or a whole number.")
    policy = _policy(case.get("policy"), policies)
    return _as_json(identity, decide(policy, _facts(case, policy)))


def _as_json(identity: str | int, decision: Decision) -> str:
    # The amount is written as the digits it has: no float on the way.
    head = json.dumps({"id": identity}, ensure_ascii=False)[:-1]
    tail = json.dumps(
        {"reason": decision.reason.value, "explanation": decision.explanation}, ensure_ascii=False
    )[1:]
    return f'{head}, "credit": {plain_credit(decision.credit)}, {tail}'


def _policy(value: object, policies: Mapping[str, CreditPolicy]) -> CreditPolicy:
    if isinstance(value, str):
        if value not in policies:
            raise ValueError(f"there is no policy {value!r}; there are {', '.join(policies)}.")
        return policies[value]
    if isinstance(value, dict):
        return CreditPolicy.from_data(INLINE_NAME, 1, value)
    raise ValueError("'policy' must be the name of a policy, or an object.")


def _facts(case: Mapping[str, object], policy: CreditPolicy) -> CaseFacts:
    intervals = case.get("intervals")
    if not isinstance(intervals, list):
        raise ValueError("'intervals' must be a list of [from, to].")
    grant = case.get("grant")
    status = case.get("status", "none" if grant is None else "granted")
    if not isinstance(status, str) or status not in list(GrantStatus):
        raise ValueError(f"'status' must be one of {', '.join(GrantStatus)}.")
    return CaseFacts(
        mode=policy.mode,
        window=_span("window", case.get("window")),
        evidence=tuple(_span("intervals", interval) for interval in intervals),
        grant=Grant(
            credits=Decimal(0) if grant is None else _number("grant", grant),
            mode=policy.mode,
            status=GrantStatus(status),
        ),
        hours_since_end=_hours("hours_since_end", case),
        wall_seconds=_count("wall_seconds", case) if "wall_seconds" in case else None,
        checks_answered=_count("checks_answered", case),
        checks_issued=_count("checks_issued", case),
        test=_test(case.get("test")),
        evaluation=_flag("evaluation", case),
        evaluation_hours_after_end=_hours("evaluation_hours_after_end", case),
        identifier=_identifier(case.get("identifier")),
        already_credited=_flag("already_credited", case),
        earned_today=_number("earned_today", case.get("earned_today", 0)),
    )


def _refuse_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not a number.")


def _span(name: str, value: object) -> Span[int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{name!r} takes stretches of the form [from, to].")
    start, end = value
    if type(start) is not int or type(end) is not int:
        raise ValueError(f"{name!r} takes whole seconds.")
    if end < start:
        raise ValueError(f"{name!r}: [{start}, {end}] ends before it starts.")
    return Span(start, end)


def _number(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{name!r} must be a number.")
    number = Decimal(value)
    if not 0 <= number <= 1_000_000 or number != round(number, MAX_DECIMALS):
        raise ValueError(
            f"{name!r} must lie between 0 and 1000000, with at most {MAX_DECIMALS} decimals."
        )
    return number


def _count(name: str, case: Mapping[str, object]) -> int:
    value = case.get(name, 0)
    if type(value) is not int or value < 0:
        raise ValueError(f"{name!r} must be a whole number from 0.")
    return value


def _hours(name: str, case: Mapping[str, object]) -> Fraction | None:
    value = case.get(name)
    return None if value is None else Fraction(_number(name, value))


def _flag(name: str, case: Mapping[str, object]) -> bool:
    value = case.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name!r} must be true or false.")
    return value


def _identifier(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if not isinstance(value, str):
        raise ValueError("'identifier' must be a text.")
    return bool(value.strip())


def _test(value: object) -> TestResult | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("'test' must be an object with 'correct' and 'of'.")
    unknown = sorted(value.keys() - {"correct", "of", "hours_after_end"})
    if unknown:
        raise ValueError(f"'test': unknown field {unknown[0]!r}.")
    missing = sorted({"correct", "of"} - value.keys())
    if missing:
        raise ValueError(f"'test': {missing[0]!r} is missing.")
    return TestResult(
        correct=_count("correct", value),
        of=_count("of", value),
        hours_after_end=_hours("hours_after_end", value) or Fraction(0),
    )
