"""The faculty of a session as the organiser sees them: what is in, what is missing, what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from flask import current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.disclosure import Disclosure, day_in_words
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.faculty import FileKind, Missing, Need
from webinar.domain.gate import may_go_live, missing_before_publishing
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.domain.wording import plural
from webinar.models import FacultyFile, FacultyMember, WebinarSession
from webinar.services import faculty, faculty_links, gate, recordings, windows
from webinar.services import sessions as session_service
from webinar.web.access import requires
from webinar.web.faculty_files import photo_answer, slides_answer
from webinar.web.manage.blueprint import bp

NEED_LABELS = {
    Need.DISCLOSURE: "Disclosure",
    Need.CONSENT: "Recording",
    Need.BIOGRAPHY: "Biography",
    Need.PHOTO: "Photo",
    Need.SLIDES: "Slides",
}


@dataclass(frozen=True)
class Cell:
    """Where one thing stands; kind is that of a pill."""

    label: str
    kind: str
    words: str


@dataclass(frozen=True)
class Person:
    """Somebody of the faculty with all their parts."""

    first: FacultyMember
    parts: list[str]
    email: str
    cells: list[Cell]
    missing: tuple[Missing, ...]
    form: Disclosure | None
    needs_mitigation: bool
    consents: bool | None
    photo: FacultyFile | None
    slides: FacultyFile | None


@dataclass(frozen=True)
class Refused:
    """What was typed about one person, or about the recording (0), and what is wrong with it."""

    member_id: int = -1
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)

    def error(self, member_id: int, name: str) -> str:
        """The sentence beside this field."""
        return self.errors.get(name, "") if member_id == self.member_id else ""

    def value(self, member_id: int, name: str, otherwise: str = "") -> str:
        """What stands in this field."""
        return self.typed.get(name, otherwise) if member_id == self.member_id else otherwise


@bp.get("/sessions/<public_id>/faculty")
@requires(Action.PLAN_SESSIONS)
def session_faculty(public_id: str) -> ResponseReturnValue:
    """Readiness as a table, then each person."""
    return _page(_session(public_id))


@bp.post("/sessions/<public_id>/faculty/invite")
@requires(Action.PLAN_SESSIONS)
def faculty_invite_all(public_id: str) -> ResponseReturnValue:
    """Write to everybody who was not invited yet."""
    session = _session(public_id)
    try:
        invited = faculty_links.invite_all(g.db, session, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, 0, "", refusal)
    g.db.commit()
    flash(f"{plural(invited, 'invitation leaves', 'invitations leave')} by mail.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/invite")
@requires(Action.PLAN_SESSIONS)
def faculty_invite(public_id: str, member_id: int) -> ResponseReturnValue:
    """Write to one, again if need be."""

    def invite(member: FacultyMember) -> str:
        faculty_links.invite(g.db, member.id, actor_id=current_user.id, now=g.now)
        return f"The invitation to {member.name} leaves by mail."

    return _act(public_id, member_id, "", invite)


@bp.post("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/remind")
@requires(Action.PLAN_SESSIONS)
def faculty_remind(public_id: str, member_id: int) -> ResponseReturnValue:
    """Write to one about what is missing."""

    def remind(member: FacultyMember) -> str:
        faculty_links.remind(g.db, member.id, actor_id=current_user.id, now=g.now)
        return f"The reminder to {member.name} leaves by mail."

    return _act(public_id, member_id, "", remind)


@bp.post("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/address")
@requires(Action.PLAN_SESSIONS)
def faculty_address(public_id: str, member_id: int) -> ResponseReturnValue:
    """End every address of the person and make a new one: mailed, or shown this once."""
    session = _session(public_id)
    member = faculty.of_session(session, member_id)
    try:
        token = faculty_links.replace(g.db, member.id, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, member_id, "", refusal)
    g.db.commit()
    if token is None:
        flash(f"The new address of {member.name} leaves by mail; the old ones ended.", "success")
        return _back(public_id)
    address = current_app.config["PUBLIC_URL"] + url_for("faculty.show", token=token)
    answer = make_response(_page(session, shown_to=member, address=address))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/paper")
@requires(Action.PLAN_SESSIONS)
def faculty_paper(public_id: str, member_id: int) -> ResponseReturnValue:
    """Write down a disclosure that came on paper."""

    def record(member: FacultyMember) -> str:
        faculty.record_paper(
            g.db,
            member.id,
            request.form.get("paper", ""),
            signed_on=_day(request.form.get("signed_on", "")),
            actor_id=current_user.id,
            now=g.now,
        )
        return f"The disclosure of {member.name} is written down."

    return _act(public_id, member_id, "paper", record)


@bp.post("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/mitigation")
@requires(Action.PLAN_SESSIONS)
def faculty_mitigation(public_id: str, member_id: int) -> ResponseReturnValue:
    """Say what was done about relations."""

    def mitigate(member: FacultyMember) -> str:
        faculty.mitigate(
            g.db,
            member.id,
            request.form.get("mitigation", ""),
            actor_id=current_user.id,
            now=g.now,
        )
        return "Written down. The audience reads it with the disclosure."

    return _act(public_id, member_id, "mitigation", mitigate)


@bp.post("/sessions/<public_id>/faculty/recording")
@requires(Action.PUBLISH_RECORDINGS)
def faculty_recording(public_id: str) -> ResponseReturnValue:
    """Decide on the recording where somebody did not agree: close it, or publish it."""
    session = _session(public_id)
    reason, closes = request.form.get("reason", ""), request.form.get("do") == "close"
    decide = windows.close_now if closes else recordings.publish_withheld
    try:
        decide(g.db, session.id, actor_id=current_user.id, reason=reason, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, 0, "reason", refusal)
    g.db.commit()
    words = "The recording is closed. Nobody can watch it any more."
    flash(words if closes else "The recording is published.", "success")
    return _back(public_id)


@bp.post("/sessions/<public_id>/faculty/rehearsal")
@requires(Action.PLAN_SESSIONS)
def faculty_rehearsal(public_id: str) -> ResponseReturnValue:
    """What the faculty read about rehearsing."""
    session, text = _session(public_id), request.form.get("rehearsal", "")
    try:
        faculty.note_rehearsal(g.db, session, text, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        return _refused(public_id, 0, "rehearsal", refusal)
    g.db.commit()
    flash("Saved. The faculty read it on their own pages.", "success")
    return _back(public_id)


@bp.get("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/photo.jpg")
@requires(Action.PLAN_SESSIONS)
def faculty_photo(public_id: str, member_id: int) -> ResponseReturnValue:
    """The photo, also of a draft's faculty."""
    answer = photo_answer(_file(public_id, member_id, FileKind.PHOTO))
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@bp.get("/sessions/<public_id>/faculty/<int(max=2147483647):member_id>/slides")
@requires(Action.PLAN_SESSIONS)
def faculty_slides(public_id: str, member_id: int) -> ResponseReturnValue:
    """The slides, to prepare."""
    answer = slides_answer(_file(public_id, member_id, FileKind.SLIDES))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _session(public_id: str) -> WebinarSession:
    return session_service.by_public_id(g.db, public_id)


def _file(public_id: str, member_id: int, kind: FileKind) -> FacultyFile:
    member = faculty.of_session(_session(public_id), member_id)
    file = faculty.file_of(faculty.rows_of(member), kind)
    if file is None:
        raise NotFound("Nothing was sent in yet.")
    return file


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as nonsense:
        raise faculty.NothingSaid("Give the day of the signature.") from nonsense


def _act(
    public_id: str, member_id: int, name: str, act: Callable[[FacultyMember], str]
) -> ResponseReturnValue:
    """Do it, say so, go back; or show the refusal beside the field of this name."""
    try:
        said = act(faculty.of_session(_session(public_id), member_id))
    except NotFound:
        raise
    except DomainError as refusal:
        return _refused(public_id, member_id, name, refusal)
    g.db.commit()
    flash(said, "success")
    return _back(public_id)


def _refused(
    public_id: str, member_id: int, name: str, refusal: DomainError
) -> ResponseReturnValue:
    g.db.rollback()
    typed = {key: value.strip() for key, value in request.form.items()}
    refused = Refused(member_id, {name: str(refusal)}, typed)
    return _page(_session(public_id), refused=refused), refusal.status


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("manage.session_faculty", public_id=public_id), code=303)


def _page(
    session: WebinarSession,
    *,
    refused: Refused | None = None,
    shown_to: FacultyMember | None = None,
    address: str = "",
) -> str:
    faculty.load(g.db, session)
    emails = faculty.emails_of(g.db, session)
    people = [_person(rows, emails) for rows in faculty.people_of(session)]
    is_draft = session.status is SessionStatus.DRAFT
    return render_template(
        "manage/session_faculty.html",
        session=session,
        people=people,
        gate_lacks=missing_before_publishing(gate.facts_of(g.db, session)) if is_draft else [],
        is_moderated=may_go_live(gate.parts_of(session)),
        uninvited=[one for one in people if one.email and one.first.invited_at is None],
        disagreeing=[one for one in people if one.consents is False],
        recording=recordings.for_session(g.db, session.id),
        refused=refused or Refused(),
        shown_to=shown_to,
        address=address,
        today=to_local(g.now, session.zone).date(),
        in_words=day_in_words,
    )


def _person(rows: tuple[FacultyMember, ...], emails: Mapping[int, str]) -> Person:
    first, missing = rows[0], faculty.missing_of(rows, now=g.now)
    consents = faculty.consents(first)
    today = to_local(g.now, first.session.zone).date()
    owed = {one.need: one for one in missing}
    cells = [_cell(need, owed.get(need), today) for need in Need]
    if consents is False:
        cells[list(Need).index(Need.CONSENT)] = Cell("Recording", "cancelled", "does not agree")
    needs_mitigation = gate.needs_mitigation(first)
    if needs_mitigation:
        cells[0] = Cell("Disclosure", "closing", "relations: say what is done")
    parts = list(dict.fromkeys(row.part.value for row in rows))
    slides = faculty.file_of(rows, FileKind.SLIDES)
    if slides is None and Need.SLIDES not in owed:
        cells[list(Need).index(Need.SLIDES)] = Cell("Slides", "", "not needed")
    return Person(
        first=first,
        parts=parts,
        email=emails.get(first.id, ""),
        cells=cells,
        missing=missing,
        form=faculty.form_of(first),
        needs_mitigation=needs_mitigation,
        consents=consents,
        photo=faculty.file_of(rows, FileKind.PHOTO),
        slides=slides,
    )


def _cell(need: Need, missing: Missing | None, today: date) -> Cell:
    if missing is None:
        return Cell(NEED_LABELS[need], "credit", "in")
    day = f"{missing.due_on.day} {day_in_words(missing.due_on).split()[1][:3]}"
    if missing.due_on < today:
        return Cell(NEED_LABELS[need], "closing", f"was due {day}")
    return Cell(NEED_LABELS[need], "draft", f"due {day}")
