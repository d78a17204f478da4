from datetime import timedelta

from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind
from webinar.models import EvaluationGiven
from webinar.services import credits
from webinar.services.evidence import chain
from webinar.services.evidence.digests import DIGESTS

URL = "https://webinar.example"


def test_every_revision_is_vouched_for_by_the_chain(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session)

    first = credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    db.add(EvaluationGiven(session_id=session.id, user_id=user.id, given_at=AFTER))
    db.flush()
    second = credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    db.expire_all()

    links = [
        (link.number, link.subject, link.digest)
        for link in chain.links_of(db, session.id)
        if link.kind is LinkKind.DECISION
    ]
    assert [(subject, digest) for _, subject, digest in links] == [
        (str(row.id), DIGESTS[LinkKind.DECISION](db, str(row.id))) for row in [*first, *second]
    ]
    head = chain.head_of(db, session.id)
    assert head is not None
    assert head.length >= 2


def test_a_decision_names_the_evidence_it_was_read_from(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    one, other = make_attendee(db, session), make_attendee(db, session)
    watch(db, session, other, ViewingMode.LIVE, 60, 120)

    decided = credits.decide_session(db, session.id, public_url=URL, now=AFTER)

    assert [row.user_id for row in decided] == [one.id, other.id]
    assert len({row.evidence_hash for row in decided}) == 2
    assert all(len(row.evidence_hash) == 64 for row in decided)


def test_a_beat_that_comes_later_changes_the_hash_of_the_evidence(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session, end=1200)
    before = credits.decide_session(db, session.id, public_url=URL, now=AFTER)

    watch(db, session, user, ViewingMode.LIVE, 1200, 2700)
    after = credits.decide_session(
        db, session.id, public_url=URL, now=AFTER + timedelta(minutes=10)
    )

    assert before[0].evidence_hash != after[0].evidence_hash
