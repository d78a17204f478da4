"""Versions of credit policies: read, offered to grants, drafted, approved by a second person."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from webinar.db import DbSession
from webinar.domain.access import ALLOWED, Action, ensure_second_person
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.policy import CreditPolicy as Rules
from webinar.models import AccreditationGrant, CreditPolicy, User, UserRole, WebinarSession
from webinar.services import audit

NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*", re.ASCII)
LONGEST_NAME = 60
LONGEST_NOTE = 2000
FOLLOWERS_SHOWN = 12
ALONE = "Written and approved by the same person: nobody else here may approve."


class NoteMissing(DomainError):
    """Whoever approves a version, or looks back at it, wants to know why there is one."""


class BadPolicyName(DomainError):
    """A name that cannot stand in an address, or is taken."""


class SamePolicy(Conflict):
    """The version says what the one before says."""


class DraftWaits(Conflict):
    """One draft at a time, so that nobody approves what another has overtaken."""


class NotADraftVersion(Conflict):
    """An approved version stays for ever: somebody's credit may rest on it."""


class NotWhatWasSeen(Conflict):
    """Another draft stands there now."""


@dataclass(frozen=True)
class Rule:
    """A stored policy version and what it says; `key` names it in forms."""

    policy: CreditPolicy
    rules: Rules

    @property
    def key(self) -> str:
        """`eaccme-3.0-live@1`."""
        return f"{self.policy.name}@{self.policy.version}"

    @property
    def is_draft(self) -> bool:
        """True until somebody has approved it: no grant may follow it."""
        return self.policy.approved_at is None


@dataclass(frozen=True)
class Family:
    """All versions of one policy, newest first, and how many grants follow each (by its id)."""

    name: str
    versions: tuple[Rule, ...]
    followed: Mapping[int, int]

    @property
    def in_force(self) -> Rule | None:
        """The newest approved version: what new grants get."""
        return next((rule for rule in self.versions if not rule.is_draft), None)

    @property
    def draft(self) -> Rule | None:
        """The version that waits for approval."""
        return next((rule for rule in self.versions if rule.is_draft), None)


def rule_of(policy: CreditPolicy) -> Rule:
    """The policy read."""
    return Rule(policy, Rules.from_data(policy.name, policy.version, policy.data))


def rules_offered(db: DbSession) -> list[Rule]:
    """The newest approved version of every policy, live before recorded, by body."""
    newest: dict[str, CreditPolicy] = {}
    approved = select(CreditPolicy).where(CreditPolicy.approved_at.is_not(None))
    for policy in db.scalars(approved.order_by(CreditPolicy.version)):
        newest[policy.name] = policy
    offered = [rule_of(policy) for policy in newest.values()]
    return sorted(offered, key=lambda rule: (rule.rules.mode, rule.rules.body.casefold()))


def families(db: DbSession) -> list[Family]:
    """Every policy by name, with its versions and who follows them; two queries."""
    found: dict[str, list[Rule]] = {}
    newest_first = select(CreditPolicy).order_by(CreditPolicy.name, CreditPolicy.version.desc())
    for policy in db.scalars(newest_first):
        found.setdefault(policy.name, []).append(rule_of(policy))
    followed = _followed(db)
    return [Family(name, tuple(versions), followed) for name, versions in found.items()]


def family_of(db: DbSession, name: str) -> Family:
    """All versions of one policy; raises NotFound."""
    versions = db.scalars(
        select(CreditPolicy).where(CreditPolicy.name == name).order_by(CreditPolicy.version.desc())
    )
    rules = tuple(rule_of(policy) for policy in versions)
    if not rules:
        raise NotFound("There is no such policy.")
    return Family(name, rules, _followed(db))


def save_draft(
    db: DbSession,
    name: str,
    data: Mapping[str, object],
    *,
    note: str,
    actor_id: int | None,
    now: datetime,
) -> CreditPolicy:
    """Keep the rule as the next version, to be approved; a new name begins with version 1.

    `data` is a policy as `domain.policy` reads it. Raises NoteMissing, BadPolicyName, DraftWaits,
    SamePolicy, and ValueError for data that is no policy.
    """
    note = note.strip()
    if not 0 < len(note) <= LONGEST_NOTE:
        raise NoteMissing(
            f"Say why there is this version, in at most {LONGEST_NOTE} characters: "
            "whoever approves it reads that."
        )
    if name == "new" or len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise BadPolicyName(
            "Use small letters, digits, points and hyphens, at most "
            f"{LONGEST_NAME} characters: eaccme-3.1-live."
        )
    last = db.scalar(
        select(CreditPolicy)
        .where(CreditPolicy.name == name)
        .order_by(CreditPolicy.version.desc())
        .limit(1)
        .with_for_update()
    )
    version = 1 if last is None else last.version + 1
    rules = Rules.from_data(name, version, data)
    if last is not None:
        _ensure_new(last, rules)
    policy = CreditPolicy(
        name=name,
        version=version,
        data=dict(data),
        note=note,
        created_at=now,
        created_by_id=actor_id,
    )
    db.add(policy)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="policy drafted",
        subject=f"policy {name}",
        before=None if last is None else {"version": last.version, "data": last.data},
        after={"version": version, "data": dict(data)},
        reason=note,
        now=now,
    )
    return policy


def approve(
    db: DbSession,
    name: str,
    version: int,
    *,
    actor_id: int,
    now: datetime,
    seen: str | None = None,
) -> bool:
    """Let grants follow the draft; True if a second person did so.

    Only where nobody else may approve, whoever wrote it approves it, and the trail says so.
    `seen` is the mark of what the person looked at: a draft can be discarded and written anew under
    the same number. Raises NotFound, NotADraftVersion, NotWhatWasSeen, SecondPersonNeeded.
    """
    policy = _draft(db, name, version)
    if seen is not None and seen != mark_of(policy):
        raise NotWhatWasSeen("This draft was written anew since you looked. Look at it again.")
    is_second = policy.created_by_id != actor_id
    if others_who_approve(db, actor_id):
        ensure_second_person(Action.APPROVE_POLICIES, policy.created_by_id, actor_id)
    policy.approved_at, policy.approved_by_id = now, actor_id
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="policy approved",
        subject=f"policy {name}",
        after={"version": version, "written_by": policy.created_by_id, "second_person": is_second},
        reason="" if is_second else ALONE,
        now=now,
    )
    return is_second


def mark_of(policy: CreditPolicy) -> str:
    """Differs if the rule, its reason or its author do."""
    said = [policy.data, policy.note, policy.created_by_id]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def discard(db: DbSession, name: str, version: int, *, actor_id: int, now: datetime) -> None:
    """Take a draft away; raises NotFound, NotADraftVersion."""
    policy = _draft(db, name, version)
    data, note = policy.data, policy.note
    db.delete(policy)
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="policy draft discarded",
        subject=f"policy {name}",
        before={"version": version, "data": data, "note": note},
        now=now,
    )


def others_who_approve(db: DbSession, user_id: int) -> int:
    """How many other people of this installation may approve policies."""
    counted = (
        select(func.count(User.id.distinct()))
        .join(UserRole, UserRole.user_id == User.id)
        .where(
            User.id != user_id,
            User.verified_at.is_not(None),
            User.erased_at.is_(None),
            UserRole.role.in_(ALLOWED[Action.APPROVE_POLICIES]),
            UserRole.society_id.is_(None),  # rules are everybody's
        )
    )
    return db.scalar(counted) or 0


def followers(
    db: DbSession, family: Family, *, society_ids: Collection[int] | None = None
) -> dict[int, list[WebinarSession]]:
    """The latest sessions whose grants follow each version, by its id; one query."""
    found = (
        select(
            AccreditationGrant.policy_id,
            WebinarSession.id,
            func.row_number()
            .over(
                partition_by=AccreditationGrant.policy_id,
                order_by=(WebinarSession.starts_at.desc(), AccreditationGrant.id),
            )
            .label("place"),
        )
        .join(WebinarSession, WebinarSession.id == AccreditationGrant.session_id)
        .where(AccreditationGrant.policy_id.in_([rule.policy.id for rule in family.versions]))
    )
    if society_ids is not None:
        found = found.where(WebinarSession.society_id.in_(society_ids))
    latest = found.subquery()
    rows = db.execute(
        select(latest.c.policy_id, WebinarSession)
        .join(WebinarSession, WebinarSession.id == latest.c.id)
        .where(latest.c.place <= FOLLOWERS_SHOWN)
        .options(defer(WebinarSession.ical_public), defer(WebinarSession.ical_personal))
        .order_by(WebinarSession.starts_at.desc(), WebinarSession.id)
    )
    shown: dict[int, list[WebinarSession]] = {}
    for policy_id, session in rows:
        shown.setdefault(policy_id, []).append(session)
    return shown


def names_of(db: DbSession, family: Family) -> dict[int, str]:
    """Who wrote and who approved its versions, by their ids."""
    ids = {
        person
        for rule in family.versions
        for person in (rule.policy.created_by_id, rule.policy.approved_by_id)
        if person is not None
    }
    found = db.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return {row.id: row.name for row in found}


def _draft(db: DbSession, name: str, version: int) -> CreditPolicy:
    policy = db.scalar(
        select(CreditPolicy)
        .where(CreditPolicy.name == name, CreditPolicy.version == version)
        .with_for_update()
    )
    if policy is None:
        raise NotFound("There is no such version.")
    if policy.approved_at is not None:
        raise NotADraftVersion("This version is approved: it stays as it is. Write a new one.")
    return policy


def _ensure_new(last: CreditPolicy, rules: Rules) -> None:
    if last.approved_at is None:
        raise DraftWaits(f"Version {last.version} waits for approval. Approve or discard it first.")
    before = Rules.from_data(last.name, rules.version, last.data)
    if before == rules:
        raise SamePolicy(f"This says what version {last.version} says. Change something first.")


def _followed(db: DbSession) -> dict[int, int]:
    counted = db.execute(
        select(AccreditationGrant.policy_id, func.count().label("grants")).group_by(
            AccreditationGrant.policy_id
        )
    )
    return {row.policy_id: row.grants for row in counted}
