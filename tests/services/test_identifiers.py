"""Numbers people give for registries: checked, kept with consent, forgotten on demand."""

import pytest

from tests.builders import NOW, make_user
from webinar.db import DbSession
from webinar.models import AuditEvent, Identifier, User
from webinar.services import identifiers
from webinar.services.identifiers import IdentifierRefused

EFN_OF_THE_TEST_SYSTEM = "802760020090329"


@pytest.fixture
def person(db: DbSession) -> User:
    return make_user(db)


def test_an_efn_is_kept_without_its_spaces(db: DbSession, person: User) -> None:
    identifiers.give(db, person.id, kind="EFN", value="80276 00200 90329", consents=True, now=NOW)

    assert identifiers.given_by(db, person.id)["EFN"].value == EFN_OF_THE_TEST_SYSTEM


@pytest.mark.parametrize("value", ["802760020090328", "80276002009032", "abc", ""])
def test_an_efn_that_cannot_be_right_is_refused(db: DbSession, person: User, value: str) -> None:
    with pytest.raises(IdentifierRefused):
        identifiers.give(db, person.id, kind="EFN", value=value, consents=True, now=NOW)


def test_nothing_is_kept_without_consent(db: DbSession, person: User) -> None:
    with pytest.raises(IdentifierRefused):
        identifiers.give(
            db, person.id, kind="EFN", value=EFN_OF_THE_TEST_SYSTEM, consents=False, now=NOW
        )

    assert identifiers.given_by(db, person.id) == {}


def test_pars_keeps_month_day_and_state_and_no_year(db: DbSession, person: User) -> None:
    identifiers.give(
        db,
        person.id,
        kind="PARS",
        value="123456",
        consents=True,
        details={"birth": "05-31", "state": "NY", "year": "1970"},
        now=NOW,
    )

    assert identifiers.given_by(db, person.id)["PARS"].details == {
        "birth": "05-31",
        "state": "NY",
    }


@pytest.mark.parametrize(
    "details", [{}, {"birth": "05-31", "state": "ZZ"}, {"birth": "31.5.", "state": "NY"}]
)
def test_pars_asks_for_a_birthday_and_a_state(
    db: DbSession, person: User, details: dict[str, str]
) -> None:
    with pytest.raises(IdentifierRefused):
        identifiers.give(
            db, person.id, kind="PARS", value="1", consents=True, details=details, now=NOW
        )


def test_what_is_taken_back_is_forgotten_but_for_the_trail(db: DbSession, person: User) -> None:
    identifiers.give(
        db, person.id, kind="EFN", value=EFN_OF_THE_TEST_SYSTEM, consents=True, now=NOW
    )

    identifiers.take_back(db, person.id, kind="EFN", now=NOW)
    identifiers.take_back(db, person.id, kind="EFN", now=NOW)

    assert db.query(Identifier).count() == 0
    (event,) = db.query(AuditEvent).filter_by(action="consent taken back")
    assert EFN_OF_THE_TEST_SYSTEM not in str(event.before)
