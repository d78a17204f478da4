"""What the faculty send in: words, disclosures, consent, files. For all parts of a person at once.

Somebody who presents and moderates is two rows and one person: whatever they say holds for both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from webinar.db import DbSession
from webinar.domain import disclosure as disclosures
from webinar.domain.disclosure import Disclosure
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.faculty import FileKind, Missing, SentIn, Words, cleaned, still_missing
from webinar.domain.timezone import to_local
from webinar.models import FacultyFile, FacultyMember, User, WebinarSession
from webinar.services import audit, gate
from webinar.services.feeds import CalendarTool, refresh

LONGEST_TEXT = 2000


class NothingSaid(DomainError):
    """An organiser pressed the button of an empty field."""


@dataclass(frozen=True)
class NewFile:
    """A file that lies in the storage already, under a name of ours."""

    filename: str
    media_type: str
    size: int
    sha256: str
    storage_key: str


def load(db: DbSession, session: WebinarSession) -> None:
    """Read everybody's files at once, before a page asks for them one by one."""
    db.scalars(
        select(FacultyMember)
        .where(FacultyMember.session_id == session.id)
        .options(selectinload(FacultyMember.files))
        .execution_options(populate_existing=True)
    ).all()


def emails_of(db: DbSession, session: WebinarSession) -> dict[int, str]:
    """The e-mails of the accounts of the faculty, by member."""
    found = db.execute(
        select(FacultyMember.id, User.email)
        .join(User, User.id == FacultyMember.user_id)
        .where(FacultyMember.session_id == session.id)
    )
    return {row.id: row.email for row in found}


def of_session(session: WebinarSession, member_id: int) -> FacultyMember:
    """This member of the session's faculty; raises NotFound."""
    for member in session.faculty:
        if member.id == member_id:
            return member
    raise NotFound("Nobody of that number belongs to the faculty of this session.")


def rows_of(member: FacultyMember) -> tuple[FacultyMember, ...]:
    """Every part the person has in the session, the oldest first; that one bears their links."""
    if member.user_id is None:
        return (member,)
    rows = [one for one in member.session.faculty if one.user_id == member.user_id]
    return tuple(sorted(rows, key=lambda one: one.id))


def people_of(session: WebinarSession) -> list[tuple[FacultyMember, ...]]:
    """Each person with all their parts, in the order in which they are announced."""
    people: dict[int, tuple[FacultyMember, ...]] = {}
    for member in session.faculty:
        rows = rows_of(member)
        people.setdefault(rows[0].id, rows)
    return list(people.values())


def file_of(rows: tuple[FacultyMember, ...], kind: FileKind) -> FacultyFile | None:
    """The person's photo or slides."""
    files = [file for row in rows for file in row.files if file.kind == kind]
    return max(files, key=lambda file: file.id, default=None)


def portraits(db: DbSession, session: WebinarSession) -> dict[int, int]:
    """Whose photo is in, with the number of the file, which changes when the photo does."""
    found = select(FacultyFile.faculty_id, FacultyFile.id).where(
        FacultyFile.kind == FileKind.PHOTO.value,
        FacultyFile.faculty_id.in_([member.id for member in session.faculty]),
    )
    photos = {row.faculty_id: row.id for row in db.execute(found)}
    return {
        row.id: photos[rows[0].id]
        for rows in people_of(session)
        for row in rows
        if rows[0].id in photos
    }


def missing_of(rows: tuple[FacultyMember, ...], *, now: datetime) -> tuple[Missing, ...]:
    """What the person still owes; who is not invited yet has the days of one invited now."""
    first, session = rows[0], rows[0].session
    sent = SentIn(
        parts=frozenset(row.part for row in rows),
        disclosure=all(gate.has_disclosed(row) for row in rows),
        consent=first.consented_at is not None or first.consent_withdrawn_at is not None,
        biography=bool(first.biography.strip()),
        photo=file_of(rows, FileKind.PHOTO) is not None,
        slides=file_of(rows, FileKind.SLIDES) is not None,
    )
    return still_missing(
        sent, starts_at=session.starts_at, zone=session.zone, asked_at=first.invited_at or now
    )


def form_of(member: FacultyMember) -> Disclosure | None:
    """The statement the person signed, if they did here."""
    return disclosures.from_data(member.disclosure_form) if member.disclosure_form else None


def describe(
    db: DbSession, member_id: int, words: Words, *, calendar: CalendarTool, now: datetime
) -> FacultyMember:
    """Who they are, in their own words; raises FormRefused."""
    words = cleaned(words)
    member = _locked(db, member_id)
    before = _words_of(member)
    if words == before:
        return member
    for row in rows_of(member):
        row.name, row.affiliation, row.biography = words.name, words.affiliation, words.biography
    _note(
        db,
        member,
        "faculty described themselves",
        before={"name": before.name, "affiliation": before.affiliation},
        after={"name": words.name, "affiliation": words.affiliation},
        now=now,
    )
    refresh(db, member.session, calendar=calendar, now=now)
    return member


def disclose(
    db: DbSession, member_id: int, typed: disclosures.Typed, *, now: datetime
) -> FacultyMember:
    """Sign the statement; the audience is told it from now on. Raises FormRefused."""
    member = _locked(db, member_id)
    on = to_local(now, member.session.zone).date()
    form = disclosures.signed(typed, on=on)
    before = member.disclosure
    for row in rows_of(member):
        row.disclosure_form = disclosures.to_data(form)
        # What was done about the relations of before says nothing about these.
        row.mitigation = ""
        row.disclosure = disclosures.words_for_audience(form)
        row.disclosed_at = now
    _note(
        db,
        member,
        "faculty disclosed",
        before={"disclosure": before},
        after={"disclosure": member.disclosure, "signed_by": form.signed_by},
        now=now,
    )
    return member


def start_anew(member: FacultyMember) -> None:
    """Somebody else has the part now: nothing that the person before sent in is theirs."""
    member.biography, member.mitigation = "", ""
    member.disclosure_form = None
    member.disclosed_at = member.consented_at = member.consent_withdrawn_at = None
    member.invited_at = None
    member.files.clear()
    member.links.clear()


def record_paper(
    db: DbSession,
    member_id: int,
    text: str,
    *,
    signed_on: date,
    actor_id: int,
    now: datetime,
) -> FacultyMember:
    """Write down a disclosure that came on paper or by mail; raises NothingSaid."""
    text = _said(text, "Write what the person disclosed, or that there is nothing to disclose.")
    member = _locked(db, member_id)
    if signed_on > to_local(now, member.session.zone).date():
        raise NothingSaid("The day of the signature is still to come. Look at the paper again.")
    before = member.disclosure
    for row in rows_of(member):
        row.disclosure_form = None
        row.mitigation = ""
        row.disclosure = text
        row.disclosed_at = now
    _note(
        db,
        member,
        "disclosure recorded from paper",
        actor_id=actor_id,
        before={"disclosure": before},
        after={"disclosure": text, "signed_on": signed_on},
        now=now,
    )
    return member


def mitigate(
    db: DbSession, member_id: int, text: str, *, actor_id: int, now: datetime
) -> FacultyMember:
    """Say what was done about a person's relations; the audience is told. Raises NothingSaid."""
    text = _said(text, "Write what was done, for example: the slides were reviewed by the board.")
    member = _locked(db, member_id)
    form = form_of(member)
    if form is None or not form.relations:
        raise NothingSaid("Nothing was disclosed that would have to be mitigated.")
    before = member.mitigation
    for row in rows_of(member):
        row.mitigation = text
        row.disclosure = disclosures.words_for_audience(form, text)
    _note(
        db,
        member,
        "relations mitigated",
        actor_id=actor_id,
        before={"mitigation": before},
        after={"mitigation": text},
        now=now,
    )
    return member


def note_rehearsal(
    db: DbSession, session: WebinarSession, text: str, *, actor_id: int, now: datetime
) -> None:
    """Tell the faculty on their own pages when and how to rehearse; empty tells nothing.

    Raises NothingSaid if it is too long.
    """
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise NothingSaid(f"Up to {LONGEST_TEXT} letters fit here. Shorten it.")
    if text == session.rehearsal_note:
        return
    before, session.rehearsal_note = session.rehearsal_note, text
    audit.write(
        db,
        actor_id=actor_id,
        action="rehearsal noted",
        subject=f"session {session.id}",
        before={"rehearsal_note": before},
        after={"rehearsal_note": text},
        now=now,
    )


def answer_consent(db: DbSession, member_id: int, *, agrees: bool, now: datetime) -> FacultyMember:
    """Agree to be recorded, refuse, or take a yes back. The last word counts."""
    member = _locked(db, member_id)
    if agrees == consents(member):
        return member
    for row in rows_of(member):
        if agrees:
            row.consented_at, row.consent_withdrawn_at = now, None
        else:
            row.consent_withdrawn_at = now
    said = {True: "recording agreed to", False: "recording not agreed to"}
    _note(db, member, said[agrees], after={"agrees": agrees}, now=now)
    return member


def consents(member: FacultyMember) -> bool | None:
    """Whether the person may be recorded; None if they have not answered."""
    if member.consent_withdrawn_at is not None:
        return False
    return True if member.consented_at is not None else None


def keep_file(
    db: DbSession, member_id: int, kind: FileKind, file: NewFile, *, now: datetime
) -> list[str]:
    """Remember a stored file; gives the storage keys of those it takes the place of."""
    member = _locked(db, member_id)
    old = []
    for row in rows_of(member):
        for one in [one for one in row.files if one.kind == kind]:
            old.append(one.storage_key)
            row.files.remove(one)
    rows_of(member)[0].files.append(
        FacultyFile(
            kind=kind.value,
            filename=file.filename,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            storage_key=file.storage_key,
            uploaded_at=now,
        )
    )
    _note(db, member, f"{kind} sent in", after={"name": file.filename, "size": file.size}, now=now)
    return old


def remove_file(db: DbSession, member_id: int, kind: FileKind, *, now: datetime) -> list[str]:
    """Take a photo or slides back; gives the storage keys to delete."""
    member = _locked(db, member_id)
    old = []
    for row in rows_of(member):
        for one in [one for one in row.files if one.kind == kind]:
            old.append(one.storage_key)
            row.files.remove(one)
    if old:
        _note(db, member, f"{kind} taken back", now=now)
    return old


def stored_keys(db: DbSession) -> set[str]:
    """The names of all files that belong to somebody."""
    return set(db.scalars(select(FacultyFile.storage_key)))


def _locked(db: DbSession, member_id: int) -> FacultyMember:
    """The member, with the session held: an organiser's edit at the same time waits.

    Raises NotFound if such an edit gave the part to somebody else since it was looked up.
    """
    member = db.get(FacultyMember, member_id)
    user_id = member.user_id if member is not None else None
    if member is not None:
        db.flush()
        key = member.session_id
        load(db, db.get_one(WebinarSession, key, with_for_update=True, populate_existing=True))
    if member is None or member not in member.session.faculty or member.user_id != user_id:
        raise NotFound("This part of the session is not yours any more. Ask the organiser.")
    return member


def _words_of(member: FacultyMember) -> Words:
    return Words(member.name, member.affiliation, member.biography)


def _said(text: str, otherwise: str) -> str:
    text = text.strip()
    if not text:
        raise NothingSaid(otherwise)
    if len(text) > LONGEST_TEXT:
        raise NothingSaid(f"Up to {LONGEST_TEXT} letters fit here. Shorten it.")
    return text


def _note(
    db: DbSession,
    member: FacultyMember,
    action: str,
    *,
    now: datetime,
    actor_id: int | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Audit it under the session, and let whoever edits an older state of it be told."""
    member.session.revision += 1
    audit.write(
        db,
        actor_id=actor_id if actor_id is not None else member.user_id,
        action=action,
        subject=f"session {member.session_id}",
        before=before,
        after={"person": member.name, "member": member.id, **(after or {})},
        now=now,
    )
