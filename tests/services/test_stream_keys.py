"""Ways in for OBS: made, shown once, checked, revoked; and whose turn it is to send."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete

from tests.builders import make_faculty, make_moderated, make_session, make_user
from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.streaming import Source
from webinar.models import BroadcastTake, FacultyMember, StreamKey, User, WebinarSession
from webinar.services import broadcasts, stream_keys
from webinar.services.broadcasts import NotOnAir
from webinar.services.stream_keys import KeyRefused, NewKey, NoPortFree

WRAPPING = "a secret of the tests, long enough to start"
PORTS = range(9000, 9002)


@pytest.fixture
def speaker(db: DbSession) -> User:
    return make_user(db)


@pytest.fixture
def session(db: DbSession, speaker: User) -> WebinarSession:
    session = make_moderated(db, make_session(db))
    make_faculty(db, session, user=speaker)
    return session


@pytest.fixture
def now(session: WebinarSession) -> datetime:
    return session.starts_at


def make(
    db: DbSession, session: WebinarSession, user: User, source: Source = Source.RTMP
) -> NewKey:
    return stream_keys.make(
        db,
        session.id,
        source,
        ports=PORTS,
        wrapping_secret=WRAPPING,
        user_id=user.id,
        now=session.starts_at - timedelta(days=1),
    )


def take_of(
    db: DbSession, key: StreamKey, connection: str, now: datetime, *, empty: bool = False
) -> BroadcastTake | None:
    return stream_keys.take_for(
        db, key, connection=connection, is_empty=lambda _broadcast, _take: empty, now=now
    )


def test_the_secret_of_a_key_is_kept_as_a_hash_only(
    db: DbSession, session: WebinarSession, speaker: User
) -> None:
    rtmp, srt = make(db, session, speaker), make(db, session, speaker, Source.SRT)

    kept = [str(value) for made in (rtmp, srt) for value in vars(made.key).values()]
    assert rtmp.secret not in kept
    assert srt.secret not in kept
    assert srt.secret == stream_keys.passphrase(srt.key.nonce, WRAPPING)
    assert 10 <= len(srt.secret) <= 79


@pytest.mark.parametrize("wrong", ["", "x", "no-such-secret"])
def test_a_wrong_secret_is_refused(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime, wrong: str
) -> None:
    made = make(db, session, speaker)

    with pytest.raises(KeyRefused):
        stream_keys.admit(db, made.key.name, wrong, client_id="1", now=now)


def test_a_key_of_nobody_and_one_of_the_other_kind_are_refused(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    srt = make(db, session, speaker, Source.SRT)

    for name, secret in (("nobody", ""), ("nobody", "x"), (srt.key.name, srt.secret)):
        with pytest.raises(KeyRefused):
            stream_keys.admit(db, name, secret, client_id="1", now=now)


@pytest.mark.parametrize(
    ("early", "admitted"),
    [(timedelta(minutes=60), True), (timedelta(minutes=60, seconds=1), False)],
)
def test_a_key_opens_an_hour_before_the_start(
    db: DbSession,
    session: WebinarSession,
    speaker: User,
    now: datetime,
    early: timedelta,
    admitted: bool,
) -> None:
    made = make(db, session, speaker)

    if admitted:
        stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now - early)
    else:
        with pytest.raises(KeyRefused):
            stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now - early)
    assert stream_keys.is_open(db, made.key.id, now=now - early) is admitted


def test_a_revoked_key_is_refused_at_once_and_for_ever(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)

    stream_keys.revoke(db, made.key.id, session.id, user_id=speaker.id, now=now)

    with pytest.raises(KeyRefused):
        stream_keys.still_admitted(db, made.key.name, made.secret, client_id="1", now=now)
    with pytest.raises(KeyRefused):
        stream_keys.admit(db, made.key.name, made.secret, client_id="2", now=now)
    assert stream_keys.listed(db, session.id) == []


def test_a_new_key_ends_the_one_before_it(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    first = make(db, session, speaker)
    second = make(db, session, speaker)

    with pytest.raises(KeyRefused):
        stream_keys.admit(db, first.key.name, first.secret, client_id="1", now=now)
    stream_keys.admit(db, second.key.name, second.secret, client_id="1", now=now)


def test_a_key_of_another_session_cannot_be_revoked(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    other = make(db, make_session(db), speaker)

    with pytest.raises(NotFound):
        stream_keys.revoke(db, other.key.id, session.id, user_id=speaker.id, now=now)


def test_a_second_sender_is_refused_and_its_end_is_not_the_end_of_the_first(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)

    with pytest.raises(Conflict, match="sends with this key already"):
        stream_keys.admit(db, made.key.name, made.secret, client_id="2", now=now)
    stream_keys.gone(db, made.key.name, made.secret, client_id="2")
    still = stream_keys.is_connected(made.key, now=now)
    stream_keys.gone(db, made.key.name, made.secret, client_id="1")

    assert (still, stream_keys.is_connected(made.key, now=now)) == (True, False)


def test_a_connection_that_fell_silent_gives_way_to_the_next(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)

    later = now + stream_keys.SILENT
    stream_keys.admit(db, made.key.name, made.secret, client_id="2", now=later)

    assert made.key.client_id == "2"


def test_every_session_gets_a_port_of_its_own_while_there_are_any(
    db: DbSession, session: WebinarSession, speaker: User
) -> None:
    made = [make(db, session, speaker, Source.SRT).key.port]
    made.append(make(db, make_session(db), speaker, Source.SRT).key.port)

    with pytest.raises(NoPortFree):
        make(db, make_session(db), speaker, Source.SRT)
    again = make(db, session, speaker, Source.SRT).key.port

    assert made == [9000, 9001]
    assert again == 9000


def test_what_comes_in_before_the_session_is_live_is_nobodys_to_see(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)

    assert take_of(db, made.key, "a", now) is None


def test_a_program_is_on_air_by_itself_when_nothing_else_was_sent(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    broadcasts.go_live(db, session.id, user_id=speaker.id, now=now)

    first = take_of(db, made.key, "a", now)
    same = take_of(db, made.key, "a", now + timedelta(seconds=1))
    reconnected = take_of(db, made.key, "b", now + timedelta(seconds=2))

    assert first is not None
    assert same is not None
    assert reconnected is not None
    assert (first.number, same.number, reconnected.number) == (0, 0, 1)
    assert first.source is Source.RTMP


def test_a_program_waits_for_its_turn_behind_a_browser(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    broadcast = broadcasts.go_live(db, session.id, user_id=speaker.id, now=now)
    browser = broadcasts.open_take(db, broadcast.id, user_id=speaker.id, now=now)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)
    long_silent = now + timedelta(minutes=1)

    waits = take_of(db, made.key, "a", long_silent)
    stream_keys.still_admitted(db, made.key.name, made.secret, client_id="1", now=long_silent)
    opened = stream_keys.use(db, made.key, user_id=speaker.id, now=long_silent)
    adopted = take_of(db, made.key, "a", long_silent, empty=True)
    db.refresh(browser)

    assert waits is None
    assert adopted is not None
    assert adopted.id == opened.id
    assert browser.closed_at == long_silent
    assert stream_keys.is_sending(db, made.key, now=long_silent)


def test_a_browser_that_took_over_is_not_overrun(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    broadcast = broadcasts.go_live(db, session.id, user_id=speaker.id, now=now)
    take_of(db, made.key, "a", now)
    broadcasts.open_take(db, broadcast.id, user_id=speaker.id, take_over=True, now=now)

    assert take_of(db, made.key, "a", now + timedelta(minutes=2)) is None


def test_a_program_that_sends_nothing_cannot_be_put_on_air(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    with pytest.raises(NotOnAir):
        stream_keys.use(db, made.key, user_id=speaker.id, now=now)
    broadcasts.go_live(db, session.id, user_id=speaker.id, now=now)

    with pytest.raises(Conflict, match="Start streaming in OBS first"):
        stream_keys.use(db, made.key, user_id=speaker.id, now=now)


def test_a_receiver_is_wanted_from_an_hour_before_until_half_an_hour_after(
    db: DbSession, session: WebinarSession, speaker: User
) -> None:
    srt, rtmp = make(db, session, speaker, Source.SRT), make(db, session, speaker)
    start, end = session.starts_at, session.ends_at
    moments = [
        start - timedelta(minutes=60, seconds=1),
        start - timedelta(minutes=60),
        end + timedelta(minutes=29, seconds=59),
        end + timedelta(minutes=30),
    ]

    assert [stream_keys.without_receiver(db, now=now) for now in moments] == [
        [],
        [srt.key.id],
        [srt.key.id],
        [],
    ]
    stream_keys.admit(db, rtmp.key.name, rtmp.secret, client_id="1", now=start)
    assert stream_keys.without_receiver(db, now=start) == [srt.key.id, rtmp.key.id]


def test_an_end_told_by_somebody_without_the_secret_is_none(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)

    for wrong in ("", "x", made.key.secret_hash):
        stream_keys.gone(db, made.key.name, wrong, client_id="1")

    assert stream_keys.is_connected(made.key, now=now)


def test_a_sender_whose_receiver_died_is_fetched_from_again(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime
) -> None:
    made = make(db, session, speaker)
    stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)
    stream_keys.disconnected(made.key)
    lost = stream_keys.without_receiver(db, now=now)

    later = now + timedelta(seconds=5)
    stream_keys.still_admitted(db, made.key.name, made.secret, client_id="1", now=later)

    assert lost == []
    assert stream_keys.without_receiver(db, now=later) == [made.key.id]
    assert made.key.client_id == "1"


@pytest.mark.parametrize("source", [Source.RTMP, Source.SRT])
def test_who_is_taken_out_of_the_faculty_sends_no_more_with_the_key_they_keep(
    db: DbSession, session: WebinarSession, speaker: User, now: datetime, source: Source
) -> None:
    made = make(db, session, speaker, source)
    before = stream_keys.is_open(db, made.key.id, now=now)
    db.execute(delete(FacultyMember).where(FacultyMember.user_id == speaker.id))
    db.flush()

    assert (before, stream_keys.is_open(db, made.key.id, now=now)) == (True, False)
    assert stream_keys.without_receiver(db, now=now) == []
    if source is Source.RTMP:
        with pytest.raises(KeyRefused):
            stream_keys.admit(db, made.key.name, made.secret, client_id="1", now=now)
