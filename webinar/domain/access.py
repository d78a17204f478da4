"""Which role may do what, where, and what one person alone may not do: three tables."""

from enum import StrEnum

from webinar.domain.errors import DomainError


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
    CORRECT_CREDIT = "correct credit"
    WRITE_POLICIES = "write the rules of credit"
    APPROVE_POLICIES = "approve the rules of credit"
    EDIT_SOCIETIES = "edit societies"
    CREATE_SOCIETIES = "create societies"
    ARRANGE_TOPICS = "arrange the topics"
    MANAGE_PEOPLE = "manage people"
    READ_AUDIT = "read the audit trail"
    LOOK_AFTER_SERVICE = "look after the service"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.PLAN_SESSIONS: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.ACCREDIT_SESSIONS: frozenset(
        {Role.ADMINISTRATOR, Role.ORGANISER, Role.ACCREDITATION_OFFICER}
    ),
    Action.PUBLISH_RECORDINGS: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.BROADCAST: frozenset({Role.ADMINISTRATOR, Role.MODERATOR, Role.PRESENTER}),
    Action.READ_QUESTIONS: frozenset({Role.ADMINISTRATOR, Role.MODERATOR}),
    Action.DECIDE_CREDIT: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.CORRECT_CREDIT: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.WRITE_POLICIES: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.APPROVE_POLICIES: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.EDIT_SOCIETIES: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.CREATE_SOCIETIES: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.ARRANGE_TOPICS: frozenset({Role.ADMINISTRATOR, Role.ORGANISER}),
    Action.MANAGE_PEOPLE: frozenset({Role.ADMINISTRATOR}),
    Action.READ_AUDIT: frozenset({Role.ADMINISTRATOR, Role.ACCREDITATION_OFFICER}),
    Action.LOOK_AFTER_SERVICE: frozenset({Role.ADMINISTRATOR}),
}

# What concerns every society: only a role that was given everywhere allows it.
SITE_WIDE: frozenset[Action] = frozenset(
    {
        Action.WRITE_POLICIES,
        Action.APPROVE_POLICIES,
        Action.CREATE_SOCIETIES,
        Action.ARRANGE_TOPICS,
        Action.MANAGE_PEOPLE,
        Action.READ_AUDIT,
        Action.LOOK_AFTER_SERVICE,
    }
)

# Four eyes: whoever asked for it, wrote it or did it first may not be who says yes.
NEEDS_SECOND_PERSON: frozenset[Action] = frozenset({Action.CORRECT_CREDIT, Action.APPROVE_POLICIES})


class Reach(StrEnum):
    """Where a role may be given."""

    EVERYWHERE = "everywhere"
    EITHER = "everywhere or for one society"
    ONE_SOCIETY = "for one society"
    BY_FACULTY = "by the faculty of a session"
    """Nobody gives it: being named as faculty of a session does, in that session."""


REACH: dict[Role, Reach] = {
    Role.ADMINISTRATOR: Reach.EVERYWHERE,
    Role.ORGANISER: Reach.EITHER,
    Role.ACCREDITATION_OFFICER: Reach.EITHER,
    Role.MODERATOR: Reach.ONE_SOCIETY,
    Role.PRESENTER: Reach.BY_FACULTY,
    Role.PARTICIPANT: Reach.EVERYWHERE,
}


ROLE_NAMES: dict[Role, str] = {
    Role.ADMINISTRATOR: "Administrator",
    Role.ORGANISER: "Organiser",
    Role.ACCREDITATION_OFFICER: "Accreditation officer",
    Role.MODERATOR: "Moderator",
    Role.PRESENTER: "Presenter",
    Role.PARTICIPANT: "Participant",
}

ROLE_WORDS: dict[Role, str] = {
    Role.ADMINISTRATOR: "does everything, and decides who else may do what",
    Role.ORGANISER: "plans series and sessions, names the faculty, publishes recordings",
    Role.ACCREDITATION_OFFICER: "keeps grants and the rules of credit, decides and corrects credit",
    Role.MODERATOR: "goes on air and reads the questions in every session of the society",
    Role.PRESENTER: "goes on air in the sessions that name them in their faculty",
    Role.PARTICIPANT: "takes part",
}

# What an administrator can give, in the order of lists.
GIVEN_BY_HAND: tuple[Role, ...] = tuple(
    role for role in Role if role is not Role.PARTICIPANT and REACH[role] is not Reach.BY_FACULTY
)


class SecondPersonNeeded(DomainError):
    """One person alone may not do that."""

    status = 403


def may(roles: frozenset[Role], action: Action) -> bool:
    """True if one of the roles allows the action.

    BROADCAST and READ_QUESTIONS are asked with the roles a person has *in that session*
    (faculty), joined with the roles of the account.
    """
    return not roles.isdisjoint(ALLOWED[action])


def ensure_second_person(action: Action, first_id: int | None, second_id: int | None) -> None:
    """Raise SecondPersonNeeded if both are the same person, for actions that ask for two.

    An id of None is a command or the clock: it counts as a person of its own, but two of it do
    not make two people.
    """
    if action in NEEDS_SECOND_PERSON and first_id == second_id:
        raise SecondPersonNeeded(
            f"To {action}, a second person has to look at it. Ask a colleague to do this step."
        )
