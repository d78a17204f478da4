"""Presence as evidence: passes handed out, segments stored as they grow, coverage read back."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil, inf
from typing import cast

from sqlalchemy import Row, Select, select

from webinar.db import DbSession
from webinar.domain.attendance import (
    ALLOWED_RATE,
    PassFacts,
    PlaySegment,
    SegmentRow,
    ViewingMode,
    coverage,
    evidence_in,
    pass_id_from,
    sign_pass,
)
from webinar.domain.edit import kept_of
from webinar.domain.errors import Gone, NotFound
from webinar.domain.figures import minutes_and_seconds
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span, clip
from webinar.domain.viewing import PageLoad, StoredLoad, Viewing
from webinar.models import Registration, ViewingPass, WatchSegment, WebinarSession
from webinar.services import recording_edits, recordings
from webinar.services.evidence import digests, segment_rows
from webinar.services.evidence.segment_rows import Touched
from webinar.services.grants import offers_of

# A live pass takes what was on air this long around the announced hours, ...
LIVE_EARLY = timedelta(hours=1)
LIVE_LATE = timedelta(hours=4)
# ... and hears of it until the day after: a laptop that was closed sends when it is opened.
LIVE_GRACE = timedelta(hours=24)
ROWS_AT_ONCE = 1000
HELD_UP = timedelta(minutes=5)
FREEZE_AFTER = timedelta(minutes=15)
"""Between the last beat that can come and the freezing: what waits in a process is stored by then.

Well above HELD_UP: a batch older than that is looked at before it is stored.
"""


@dataclass(frozen=True)
class IssuedPass:
    """A viewing pass for one page load; `closes_at` is the end of the recording window."""

    token: str
    pass_id: str
    closes_at: datetime | None


@dataclass(frozen=True)
class Presence:
    """What counts so far, for the page: seconds, and the parts watched (whole seconds).

    Parts of a recording are in shown time: `total_seconds` is what is left after cuts.
    """

    counted_seconds: int
    total_seconds: int
    parts: tuple[Span[int], ...]


def issue_pass(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    *,
    mode: ViewingMode,
    secret: bytes,
    now: datetime,
) -> IssuedPass:
    """A pass for a person who may watch now; raises what says why not (NotRegistered, Gone ...)."""
    closes_at = None
    if mode is ViewingMode.RECORDED:
        recording = recordings.for_session(db, session.id)
        if recording is None:
            raise NotFound("There is no recording of this session.")
        closes_at = recordings.viewer_access(db, recording, user_id, now=now).until
        expires_at = closes_at
        # Of the whole: what a player claims is source time, whatever was cut out.
        window = Span(0, ceil(recording.duration_seconds))
    else:
        _ensure_live(session)
        recordings.ensure_place(db, session, user_id)
        ends_at = max(session.ends_at, now)
        expires_at = ends_at + LIVE_GRACE
        window = Span(
            int((session.starts_at - LIVE_EARLY).timestamp()),
            int((ends_at + LIVE_LATE).timestamp()),
        )
    facts = PassFacts(
        pass_id=pass_id_from(secrets.token_bytes(16)),
        user_id=user_id,
        session_id=session.id,
        mode=mode,
        issued_at=now,
        expires_at=expires_at,
        window=window,
    )
    db.add(
        ViewingPass(
            id=facts.pass_id,
            session_id=session.id,
            user_id=user_id,
            mode=mode,
            issued_at=now,
            expires_at=expires_at,
        )
    )
    db.flush()
    return IssuedPass(sign_pass(secret, facts), facts.pass_id, closes_at)


def store_segments(db: DbSession, touched: Sequence[Touched], *, now: datetime) -> None:
    """Write segments, each (pass, number) at most once; a row there already only grows.

    What was held up so long that its pass may be frozen is left out if it is. Raises
    IntegrityError if a pass has no row: see `known_passes`.
    """
    segment_rows.write(db, _under_open_passes(db, touched, now=now))


def known_passes(db: DbSession, pass_ids: Sequence[str]) -> set[str]:
    """Which of these passes have a row; an erased person's have none any more."""
    return set(db.scalars(select(ViewingPass.id).where(ViewingPass.id.in_(pass_ids))))


def _under_open_passes(
    db: DbSession, touched: Sequence[Touched], *, now: datetime
) -> Sequence[Touched]:
    """Without those of passes that were frozen while they waited; the rest is not even asked for.

    Beats are taken until a pass ends and stored within a second. Only where the database was away
    for minutes a pass can have been frozen in between; its row is held while that is looked at.
    """
    held_up = sorted({row.pass_id for row in touched if now - row.first_at >= HELD_UP})
    if not held_up:
        return touched
    frozen: set[str] = set()
    for first in range(0, len(held_up), ROWS_AT_ONCE):
        some = db.execute(
            select(ViewingPass.id, ViewingPass.frozen_at)
            .where(ViewingPass.id.in_(held_up[first : first + ROWS_AT_ONCE]))
            .order_by(ViewingPass.id)
            .with_for_update(read=True, key_share=True)
        )
        frozen |= {pass_id for pass_id, frozen_at in some if frozen_at is not None}
    return [row for row in touched if row.pass_id not in frozen]


def viewing_of(db: DbSession, session_id: int, user_id: int, mode: ViewingMode) -> Viewing:
    """All that a person played of a session in one mode."""
    query = _played(session_id, mode).where(ViewingPass.user_id == user_id)
    return _viewing(list(db.execute(query)), session_id, mode)


def viewings(
    db: DbSession, session_id: int, mode: ViewingMode, *, user_ids: Sequence[int] | None = None
) -> Iterator[tuple[int, Viewing]]:
    """(person, what they played), one person after the other, without holding all in memory."""
    query = _played(session_id, mode)
    if user_ids is not None:
        query = query.where(ViewingPass.user_id.in_(user_ids))
    rows = db.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
    for user_id, own in groupby(rows, key=lambda row: int(row.user_id)):
        yield user_id, _viewing(list(own), session_id, mode)


def counting_window(
    db: DbSession, session: WebinarSession, mode: ViewingMode, *, actual: bool = False
) -> Span[int]:
    """The seconds that can count: the live session's hour, or what is shown of the recording."""
    if mode is ViewingMode.RECORDED:
        recording = recordings.for_session(db, session.id)
        return Span(0, int(recording_edits.shown_seconds(recording)) if recording else 0)
    starts_at, ends_at = session.starts_at, session.ends_at
    if actual and session.actual_started_at and session.actual_ended_at:
        starts_at, ends_at = session.actual_started_at, session.actual_ended_at
    return Span(int(starts_at.timestamp()), int(ends_at.timestamp()))


def whole_window(db: DbSession, session: WebinarSession) -> Span[int]:
    """The seconds of the whole recording, before trims and cuts; empty without one."""
    recording = recordings.for_session(db, session.id)
    return Span(0, int(recording.duration_seconds) if recording else 0)


def counting_spans(
    db: DbSession, session: WebinarSession, mode: ViewingMode, spans: list[Span[float]]
) -> list[Span[float]]:
    """What was played, as it lies in the counting window.

    Live: what was on air. Recorded: evidence is kept in source time; what was cut out meanwhile
    counts for nobody, and the rest lies where a viewer sees it now.
    """
    if mode is ViewingMode.LIVE:
        return clip(spans, on_air(session))
    recording = recordings.for_session(db, session.id)
    kept = kept_of(recording.kept) if recording else None
    return spans if kept is None else kept.shown_spans(spans)


def on_air(session: WebinarSession) -> Span[float]:
    """The programme time there was something to see in; empty if it was never broadcast.

    A page can be made to claim any second that has passed. What was not sent nobody saw.
    """
    if session.actual_started_at is None:
        return Span(0.0, 0.0)
    ended_at = session.actual_ended_at
    end = inf if ended_at is None else ended_at.timestamp()
    return Span(session.actual_started_at.timestamp(), end)


def presence_now(
    db: DbSession, session: WebinarSession, user_id: int, mode: ViewingMode
) -> Presence:
    """What counts so far, to be shown while one watches: at the rate that the strictest allows.

    So it never shows more than any of the decisions counts.
    """
    window = counting_window(db, session, mode)
    rates = [float(offer.rules.max_playback_rate) for offer in offers_of(db, session.id, mode=mode)]
    rate = min([ALLOWED_RATE, *rates])
    spans = viewing_of(db, session.id, user_id, mode).spans(allowed_rate=rate)
    spans = counting_spans(db, session, mode, spans)
    parts = evidence_in(window, spans)
    return Presence(
        counted_seconds=coverage(window, spans),
        total_seconds=window.end - window.start,
        parts=tuple(Span(part.start - window.start, part.end - window.start) for part in parts),
    )


def counted_words(presence: Presence) -> str:
    """`12:40 counted`, as it stands under the picture."""
    return f"{minutes_and_seconds(presence.counted_seconds)} counted"


def _ensure_live(session: WebinarSession) -> None:
    if session.status in (SessionStatus.PUBLISHED, SessionStatus.LIVE):
        return
    if session.status is SessionStatus.DRAFT:
        raise NotFound("There is no such session.")
    raise Gone("This session is over. Its recording follows on the session's page.")


def _played(session_id: int, mode: ViewingMode) -> Select[tuple[object, ...]]:
    query = (
        select(
            ViewingPass.user_id,
            ViewingPass.id,
            ViewingPass.issued_at,
            ViewingPass.expires_at,
            WatchSegment.number,
            WatchSegment.from_ms,
            WatchSegment.to_ms,
            WatchSegment.seq,
            WatchSegment.first_at,
            WatchSegment.last_at,
            Registration.cancelled_at,
        )
        .join(WatchSegment, WatchSegment.pass_id == ViewingPass.id)
        .outerjoin(
            Registration,
            (Registration.session_id == ViewingPass.session_id)
            & (Registration.user_id == ViewingPass.user_id),
        )
        .where(ViewingPass.session_id == session_id, ViewingPass.mode == mode)
        .order_by(ViewingPass.user_id, ViewingPass.id, WatchSegment.number)
    )
    return cast(Select[tuple[object, ...]], query)


def _viewing(
    rows: Sequence[Row[tuple[object, ...]]], session_id: int, mode: ViewingMode
) -> Viewing:
    loads = []
    stored = []
    for pass_id, own in groupby(rows, key=lambda row: str(row.id)):
        segments = list(own)
        facts = PassFacts(
            pass_id=pass_id,
            user_id=segments[0].user_id,
            session_id=session_id,
            mode=mode,
            issued_at=segments[0].issued_at,
            expires_at=segments[0].expires_at,
            window=Span(0, 0),  # stored segments were held against the pass's window already
        )
        digest = digests.of_viewing(
            pass_id,
            session_id,
            facts.user_id,
            mode,
            facts.issued_at,
            facts.expires_at,
            (
                (row.number, row.from_ms, row.to_ms, row.seq, row.first_at, row.last_at)
                for row in segments
            ),
        )
        stored.append(StoredLoad(pass_id, digest, max(row.last_at for row in segments)))
        loads.append(
            PageLoad(
                facts,
                tuple(
                    SegmentRow(
                        PlaySegment(row.number, row.from_ms / 1000, row.to_ms / 1000),
                        row.first_at,
                        row.last_at,
                    )
                    for row in segments
                ),
            )
        )
    viewing = Viewing(tuple(loads), tuple(stored))
    # A pass outlives the place it was given for; what is said under it after that does not count.
    cancelled_at = rows[0].cancelled_at if rows else None
    return viewing if cancelled_at is None else viewing.before(cancelled_at)
