"""How a mail stands, and which can be sent again."""

from datetime import UTC, datetime

import pytest

from webinar.domain.letter import MailKind
from webinar.domain.mail_log import (
    CANNOT_BE_SENT_AGAIN,
    KIND_NAMES,
    About,
    MailState,
    about,
    can_be_sent_again,
    kinds_about,
    state_of,
)

AT = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "sent", "returned", "because", "state"),
    [
        (AT, None, None, None, MailState.WAITING),
        (None, AT, None, None, MailState.SENT),
        (None, AT, AT, None, MailState.RETURNED),
        (AT, None, None, "not sent after 12 tries", MailState.WAITING),
        (None, None, None, "not sent after 12 tries", MailState.GIVEN_UP),
        (None, None, None, "refused by the mail server", MailState.GIVEN_UP),
        (None, None, None, "unregistered", MailState.DROPPED),
        (None, None, None, "they do not want it", MailState.DROPPED),
        (None, None, None, None, MailState.DROPPED),
    ],
)
def test_a_mail_stands_as_it_was_written_down(
    due: datetime | None,
    sent: datetime | None,
    returned: datetime | None,
    because: str | None,
    state: MailState,
) -> None:
    assert (
        state_of(due_at=due, sent_at=sent, returned_at=returned, dropped_because=because) is state
    )


def test_every_kind_has_a_name_of_its_own() -> None:
    assert set(KIND_NAMES) == set(MailKind)
    assert len(set(KIND_NAMES.values())) == len(MailKind)


def test_what_a_mail_is_about_is_said_once() -> None:
    assert sorted(kind for what in About for kind in kinds_about(what)) == sorted(MailKind)
    assert about(MailKind.REPORT_DUE) is About.SESSION


@pytest.mark.parametrize("kind", MailKind)
def test_only_what_is_lost_and_holds_no_secret_is_sent_again(kind: MailKind) -> None:
    can = {state for state in MailState if can_be_sent_again(kind, state)}

    lost = {MailState.GIVEN_UP, MailState.RETURNED}
    assert can == (set() if kind in CANNOT_BE_SENT_AGAIN else lost)
