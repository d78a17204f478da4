"""Which role may do what: one table."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is trusted with beyond taking part."""

    ADMINISTRATOR = "administrator"
    ORGANISER = "organiser"
    ACCREDITATION_OFFICER = "accreditation_officer"
    MODERATOR = "moderator"
    PRESENTER = "presenter"
    PARTICIPANT = "participant"


class Action(StrEnum):
    """What a route or a command lets a person do."""

    PLAN_SESSIONS = "plan sessions"
    ACCREDIT_SESSIONS = "accredit sessions"
    PUBLISH_RECORDINGS = "publish recordings"
    BROADCAST = "broadcast"
    READ_QUESTIONS = "read questions"
    DECIDE_CREDIT = "decide credit"
    MANAGE_PEOPLE = "manage people"
    READ_AUDIT = "read the audit trail"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.PLAN_SESSIONS: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.ACCREDIT_SESSIONS: frozenset(
        {Role.ADMINISTRATOR, Role.ORGANISER, Role.ACCREDITATION_OFFICER}
    ),
    Action.PUBLISH_RECORDINGS: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.BROADCAST: frozenset({Role.ADMINISTRATOR, Role.MODERATOR, Role.PRESENTER}),
    Action.READ_QUESTIONS: frozenset({Role.ADMINISTRATOR, Role.MODERATOR}),
    Action.DECIDE_CREDIT: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.MANAGE_PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Action.READ_AUDIT: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
}


def may(roles: frozenset[Role], action: Action) -> bool:
    """True if one of the roles allows the action.

    BROADCAST and READ_QUESTIONS are asked with the roles a person has *in that session*
    (faculty), joined with the roles of the account.
    """
    return not roles.isdisjoint(ALLOWED[action])
