"""Versions of policies: drafted with a reason, approved by a second person, then for ever."""

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_session, make_user
from tests.evidence import make_grant
from webinar.db import DbSession
from webinar.domain.access import Role, SecondPersonNeeded
from webinar.domain.errors import NotFound
from webinar.models import AuditEvent, CreditPolicy, User
from webinar.services import policy_versions
from webinar.services.policies import ensure_policies
from webinar.services.policy_versions import (
    ALONE,
    BadPolicyName,
    DraftWaits,
    NotADraftVersion,
    NoteMissing,
    SamePolicy,
    rules_offered,
)

NAME = "ebac-live"
HALVES = {"body": "EBAC", "mode": "live", "unit_minutes": 30, "credit_per_unit": 0.5}


@pytest.fixture(autouse=True)
def rules(db: DbSession) -> dict[str, CreditPolicy]:
    return ensure_policies(db, now=NOW)


@pytest.fixture
def writer(db: DbSession) -> User:
    return make_user(db, roles=(Role.ACCREDITATION_OFFICER,))


def draft(db: DbSession, writer: User, name: str = NAME, **change: object) -> CreditPolicy:
    return policy_versions.save_draft(
        db, name, {**HALVES, **change}, note="Halves from 2027.", actor_id=writer.id, now=NOW
    )


def keys(db: DbSession) -> set[str]:
    return {rule.key for rule in rules_offered(db)}


def last_event(db: DbSession) -> AuditEvent:
    return db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


def test_a_new_version_is_offered_once_a_second_person_has_approved_it(
    db: DbSession, writer: User
) -> None:
    second = make_user(db, roles=(Role.ADMINISTRATOR,))
    made = draft(db, writer)
    while_draft = keys(db)

    is_second = policy_versions.approve(db, NAME, 2, actor_id=second.id, now=NOW)

    assert (made.version, made.note, is_second) == (2, "Halves from 2027.", True)
    assert ("ebac-live@1" in while_draft, "ebac-live@2" in while_draft) == (True, False)
    assert ("ebac-live@1" in keys(db), "ebac-live@2" in keys(db)) == (False, True)
    assert (made.approved_by_id, made.approved_at) == (second.id, NOW)


def test_who_wrote_it_does_not_approve_it_while_somebody_else_may(
    db: DbSession, writer: User
) -> None:
    make_user(db, roles=(Role.ADMINISTRATOR,))
    draft(db, writer)

    with pytest.raises(SecondPersonNeeded):
        policy_versions.approve(db, NAME, 2, actor_id=writer.id, now=NOW)


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.MODERATOR])
def test_alone_one_approves_oneself_and_the_trail_says_so(
    db: DbSession, writer: User, role: Role
) -> None:
    make_user(db, roles=(role,))
    make_user(db, roles=(Role.ADMINISTRATOR,), verified=False)
    draft(db, writer)

    is_second = policy_versions.approve(db, NAME, 2, actor_id=writer.id, now=NOW)

    event = last_event(db)
    assert is_second is False
    assert (event.action, event.reason) == ("policy approved", ALONE)
    assert event.after == {"version": 2, "written_by": writer.id, "second_person": False}


def test_an_approved_version_stays_as_it_is(db: DbSession, writer: User) -> None:
    for act in (policy_versions.approve, policy_versions.discard):
        with pytest.raises(NotADraftVersion):
            act(db, NAME, 1, actor_id=writer.id, now=NOW)
        with pytest.raises(NotFound):
            act(db, NAME, 7, actor_id=writer.id, now=NOW)


def test_a_draft_may_be_discarded_and_the_trail_keeps_it(db: DbSession, writer: User) -> None:
    draft(db, writer)

    policy_versions.discard(db, NAME, 2, actor_id=writer.id, now=NOW)

    assert [rule.policy.version for rule in policy_versions.family_of(db, NAME).versions] == [1]
    event = last_event(db)
    assert event.before == {"version": 2, "data": HALVES, "note": "Halves from 2027."}


def test_one_draft_at_a_time(db: DbSession, writer: User) -> None:
    draft(db, writer)

    with pytest.raises(DraftWaits, match="Version 2 waits"):
        draft(db, writer, unit_minutes=20)


def test_what_says_the_same_is_no_new_version(db: DbSession, writer: User) -> None:
    same = dict(policy_versions.family_of(db, NAME).versions[0].policy.data)

    with pytest.raises(SamePolicy):
        policy_versions.save_draft(db, NAME, same, note="Again.", actor_id=writer.id, now=NOW)


def test_a_reason_and_a_name_for_addresses_are_asked_for(db: DbSession, writer: User) -> None:
    with pytest.raises(NoteMissing):
        policy_versions.save_draft(db, NAME, HALVES, note=" ", actor_id=writer.id, now=NOW)
    for name in ("", "new", "Ebac Live", "x" * 61, "-ebac"):
        with pytest.raises(BadPolicyName):
            draft(db, writer, name)


def test_a_policy_of_another_body_begins_with_version_one(db: DbSession, writer: User) -> None:
    assert draft(db, writer, "sgs-live").version == 1
    assert "sgs-live@1" not in keys(db)


def test_each_version_says_how_many_grants_follow_it(db: DbSession, writer: User) -> None:
    session = make_session(db)
    make_grant(db, session, NAME, "1")
    made = draft(db, writer)

    family = policy_versions.family_of(db, NAME)

    first = family.versions[1].policy.id
    assert policy_versions.followers(db, family) == {first: [session]}
    assert policy_versions.followers(db, family, society_ids=()) == {}
    assert [family.followed.get(rule.policy.id, 0) for rule in family.versions] == [0, 1]
    assert policy_versions.names_of(db, family) == {writer.id: writer.name}
    assert family.draft is not None
    assert family.draft.policy is made
