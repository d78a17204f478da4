"""The picture of what counted for a person: of a decision that stands, or of today's evidence."""

from collections.abc import Iterable
from math import ceil

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, accepted_segments, coverage
from webinar.domain.credit import counted_of
from webinar.domain.evidence_picture import EvidencePicture, Source
from webinar.domain.replay import facts_of
from webinar.domain.span import Span
from webinar.domain.wording import local_moment
from webinar.models import CreditDecision, WebinarSession
from webinar.services import attendance
from webinar.services.evidence import visits
from webinar.services.grants import Offer, rules_of

MOST_SOURCES = 20


def of_decision(decision: CreditDecision) -> EvidencePicture:
    """What the decision was made from, out of the facts kept beside it."""
    facts, rules = facts_of(decision.inputs), rules_of(decision.policy)
    counted, start = counted_of(rules, facts), facts.window.start

    def after_start(spans: Iterable[Span[int]]) -> tuple[Span[int], ...]:
        return tuple(Span(span.start - start, span.end - start) for span in spans)

    return EvidencePicture(
        mode=facts.mode,
        starts=start,
        total_seconds=decision.window_seconds,
        parts=after_start(counted.spans),
        taken_out=after_start(counted.taken_out),
        forgiven=after_start(counted.forgiven),
        counted_seconds=decision.seconds_counted,
        threshold_seconds=ceil(rules.threshold * decision.window_seconds) or None,
    )


def of_now(
    db: DbSession, session: WebinarSession, user_id: int, offer: Offer
) -> EvidencePicture | None:
    """What counts by the evidence as it is; None for a mode in which nobody is seen."""
    mode = offer.grant.mode
    if mode not in (ViewingMode.LIVE, ViewingMode.RECORDED):
        return None
    presence = attendance.presence_now(db, session, user_id, mode)
    return EvidencePicture(
        mode=mode,
        starts=attendance.counting_window(db, session, mode).start,
        total_seconds=presence.total_seconds,
        parts=presence.parts,
        counted_seconds=presence.counted_seconds,
        threshold_seconds=ceil(offer.rules.threshold * presence.total_seconds) or None,
    )


def sources_of(
    db: DbSession, session: WebinarSession, user_id: int, mode: ViewingMode
) -> tuple[Source, ...]:
    """Each page that was open and each report, with what it saw; what overlaps stands in each."""
    if mode not in (ViewingMode.LIVE, ViewingMode.RECORDED):
        return ()
    window = attendance.counting_window(db, session, mode)
    found = []
    for load in attendance.viewing_of(db, session.id, user_id, mode).loads:
        spans = accepted_segments(load.facts, load.rows)
        seen = coverage(window, attendance.counting_spans(db, session, mode, spans))
        opened = local_moment(load.facts.issued_at, session.zone)
        found.append((load.facts.issued_at, Source(f"Page opened {opened}", seen)))
    found.sort(key=lambda pair: pair[0])
    pages = [source for _, source in found[:MOST_SOURCES]]
    if mode is ViewingMode.LIVE:
        reported = visits.seconds_by_source(db, session, user_id)
        pages += [Source(f"Room: {told_by}", seconds) for told_by, seconds in reported.items()]
    return tuple(pages)
