"""How far back each rule reaches."""

from datetime import UTC, datetime

import pytest

from config import Config
from webinar.domain.retention import (
    LEAST_EVIDENCE_YEARS,
    RECORDINGS,
    RULES,
    RetentionKind,
    cut_off,
    years_before,
)

NOW = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)


def test_every_kind_has_one_rule() -> None:
    assert sorted(rule.kind for rule in (*RULES, *RECORDINGS)) == sorted(RetentionKind)


def test_every_setting_of_a_rule_is_one() -> None:
    settings = {rule.setting for rule in (*RULES, *RECORDINGS) if rule.setting}

    assert settings == {
        name for name in Config.__dataclass_fields__ if name.startswith("KEEP_")
    } | {"DESTROY_AFTER_DAYS"}


@pytest.mark.parametrize(
    ("years", "then"),
    [
        (1, datetime(2027, 2, 28, 12, 0, tzinfo=UTC)),
        (4, datetime(2024, 2, 29, 12, 0, tzinfo=UTC)),
        (10, datetime(2018, 2, 28, 12, 0, tzinfo=UTC)),
    ],
)
def test_years_before_a_leap_day(years: int, then: datetime) -> None:
    assert years_before(NOW, years) == then


def test_days_are_counted_back_and_no_years_means_for_ever() -> None:
    by_kind = {rule.kind: rule for rule in RULES}

    assert cut_off(by_kind[RetentionKind.LINKS], 30, now=NOW) == datetime(
        2028, 1, 30, 12, 0, tzinfo=UTC
    )
    assert cut_off(by_kind[RetentionKind.EVIDENCE], 10, now=NOW) == years_before(NOW, 10)
    assert cut_off(by_kind[RetentionKind.EVIDENCE], 0, now=NOW) is None


def test_evidence_is_kept_longer_than_accreditors_ask_unless_told_otherwise() -> None:
    kept = Config(SECRET_KEY="x" * 32, DATABASE_URL="sqlite://").KEEP_EVIDENCE_YEARS

    assert kept >= LEAST_EVIDENCE_YEARS
