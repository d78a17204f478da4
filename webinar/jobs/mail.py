"""Mails that are due: claimed, decided, handed to the mail server, and written down as sent.

At least once each, and in practice once: whoever dies between the mail server's yes and our own
note sends it again when the lease is over, under the same Message-ID.
"""

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from webinar import letterbox
from webinar.db import DbSession, open_db
from webinar.domain.letter import Dropped, Letter, Postponed
from webinar.jobs.marking import Marker
from webinar.jobs.toolbox import Toolbox
from webinar.mail.compose import Composer
from webinar.mail.pace import LONGEST_PAUSE
from webinar.mail.smtp import MAIL_SECONDS
from webinar.mail.transport import Transport
from webinar.mail.verdicts import CutOff, HungUp, NotSent, Refused, ServerAway
from webinar.models import Delivery
from webinar.services import deliveries, letters, troubles

log = logging.getLogger(__name__)

# So that a tick ends; what is left is due at the next one.
AT_A_TIME = 200
# Claimed together, decided together, and left by one who is killed until the lease is over.
AT_ONCE = 50
# The letterbox is held open no longer, but for the one mail that is under way.
HELD_OPEN = timedelta(milliseconds=250)
# The marker may be waiting for one who wants to shut it.
A_MOMENT_SECONDS = 0.05
# No mail is begun that could outlast the lease; connecting anew takes as long as a mail.
TWO_MAILS = timedelta(seconds=2 * MAIL_SECONDS)
# With a bounded pace a batch ends before it is offered to another one.
LONGEST_BATCH = timedelta(seconds=30)
# So many that fail one after the other are about the server, unless it says whom it means.
IN_A_ROW = 5
# After two mails that each ended a connection: perhaps it is only they, and the others wait.
DOUBTFUL_PAUSE = timedelta(seconds=20)


class StillLeased(Exception):
    """Another process is sending one of these; ask again when its lease is over."""


def deliver_due(tools: Toolbox, now: datetime) -> None:
    """The clock's tick: send what is owed by now."""
    send_due(tools.transport, tools.composer, now=now)


def send_due(transport: Transport, composer: Composer, *, now: datetime) -> int:
    """Send every mail that is owed by `now`; how many went out."""
    with open_db() as db:
        owed = deliveries.due(db, now=now, limit=AT_A_TIME)
    return _Round(transport, composer, now).send(owed)


def send_batch(tools: Toolbox, delivery_ids: list[int], *, now: datetime) -> int:
    """The engine's handler: send these if they are still owed; how many went out.

    Raises StillLeased if one of them meets a live lease: returning would strand it.
    """
    sent = _Round(tools.transport, tools.composer, now).send(delivery_ids)
    with open_db() as db:
        leased = deliveries.leased_among(db, delivery_ids)
    if leased:
        raise StillLeased(f"being sent elsewhere: {leased}")
    return sent


@dataclass
class _Done:
    """What became of mails that were claimed together, to be written when the letterbox is let go.

    What was sent is not here: that is written at once.
    """

    dropped: list[tuple[Delivery, str]] = field(default_factory=list)
    postponed: list[tuple[Delivery, datetime]] = field(default_factory=list)
    failed: list[tuple[Delivery, str]] = field(default_factory=list)
    refused: list[tuple[Delivery, Refused]] = field(default_factory=list)
    untried: list[int] = field(default_factory=list)
    away: str = ""
    """Why the mail server takes nothing from us."""
    longest: timedelta = LONGEST_PAUSE
    """It is left alone no longer than this."""

    @property
    def ids(self) -> list[int]:
        """Of all these."""
        decided = (*self.dropped, *self.postponed, *self.failed, *self.refused)
        return [*self.untried, *(delivery.id for delivery, _ in decided)]


class _Round:
    """A batch on its way, in one thread, over one connection."""

    def __init__(self, transport: Transport, composer: Composer, now: datetime) -> None:
        self._transport = transport
        self._composer = composer
        self._began = time.monotonic()
        self._at_first = now
        self._sent = 0
        self._failed_in_a_row = 0
        self._was_cut_off = False
        self._stays_shut = False

    def send(self, owed: list[int]) -> int:
        """How many went out."""
        waiting = deque(owed)
        if not waiting:
            return 0
        if self._transport.breaker.is_open():
            self._offer_again(owed)
            return 0
        try:
            with Marker() as marker:
                while waiting and self._goes_on() and (some := self._in_pace(waiting)):
                    # In front again: they were not tried, for somebody wanted to change a session.
                    waiting.extendleft(reversed(self._send_some(some, marker)))
        finally:
            self._transport.close()
        self._offer_again(owed)
        return self._sent

    @property
    def _now(self) -> datetime:
        """A lease must count from when it is taken, not from when the batch began."""
        return self._at_first + timedelta(seconds=time.monotonic() - self._began)

    def _goes_on(self) -> bool:
        return not self._stays_shut and not self._transport.breaker.is_open()

    def _in_pace(self, waiting: deque[int]) -> list[int]:
        """Those to send now; none if their turn comes when this batch has to be over."""
        if not self._transport.pace.is_bounded:
            return [waiting.popleft() for _ in range(min(AT_ONCE, len(waiting)))]
        left = self._at_first + LONGEST_BATCH - self._now
        wait = self._transport.pace.take(within=left)
        if wait is None:
            return []
        time.sleep(wait.total_seconds())
        return [waiting.popleft()]

    def _offer_again(self, ids: list[int]) -> None:
        """When the mail server may be tried again, and not only when the offer is over."""
        if left := self._transport.breaker.left():
            with open_db.begin() as db:
                deliveries.offer_again(db, ids, at=self._now + left)

    def _send_some(self, ids: list[int], marker: Marker) -> list[int]:
        """Claim, decide and send these; ids of those to take up again at once."""
        try:
            self._transport.open()
        except ServerAway as error:
            self._pause(ids, error)
            return []
        with open_db.begin() as db:
            claimed, until = deliveries.claim_all(db, ids, now=self._now)
        if not claimed:
            return []
        done = _Done(untried=claimed)
        while done.untried and not done.away and self._now < until - TWO_MAILS:
            marker.take_place()
            try:
                self._transport.open()
            except ServerAway as error:
                done.away = str(error)
                break
            try:
                with letterbox.held_open() as db:
                    if self._now > until - TWO_MAILS:
                        # Whoever shut it took long: these may be somebody else's soon.
                        break
                    owed = deliveries.with_readers(db, done.untried)
                    done.untried = []
                    self._hand_over(db, owed, marker, done, until=until)
            except letterbox.StaysShut:
                self._stays_shut = True
                break
        self._write_down(done, until=until)
        return [] if done.away else done.untried

    def _hand_over(
        self, db: DbSession, owed: list[Delivery], marker: Marker, done: _Done, *, until: datetime
    ) -> None:
        """All of it while no session changes."""
        now = self._now
        let_go_at = now + HELD_OPEN
        last_begin = until - TWO_MAILS
        no = letters.unwanted(db, owed)
        wanted = [delivery for delivery in owed if delivery.id not in no]
        written = letters.written_together(db, wanted, now=now)
        for nth, delivery in enumerate(owed):
            begins = self._now
            if begins > last_begin or (
                nth and (begins > let_go_at or not marker.take_place(seconds=A_MOMENT_SECONDS))
            ):
                done.untried = [one.id for one in owed[nth:]]
                return
            try:
                outcome = (
                    no.get(delivery.id)
                    or written.get(delivery.id)
                    or letters.written(db, delivery, now=now)
                )
                if isinstance(outcome, Letter):
                    mail = self._composer.compose(outcome, now=begins)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                # Nothing can be read any more in this transaction.
                self._broken(delivery, error, done)
                done.untried = [one.id for one in owed[nth + 1 :]]
                return
            except Exception as error:
                # One mail that cannot be written must not hold up the others.
                self._broken(delivery, error, done)
                continue
            if isinstance(outcome, Dropped):
                done.dropped.append((delivery, outcome.because))
                continue
            if isinstance(outcome, Postponed):
                done.postponed.append((delivery, outcome.until))
                continue
            try:
                self._transport.send(mail)
            except ServerAway as error:
                done.away = str(error)
                done.untried = [one.id for one in owed[nth:]]
                return
            except HungUp:
                # Others went over it: on a new connection this one goes as well.
                done.untried = [one.id for one in owed[nth:]]
                return
            except CutOff as error:
                # Put back as it is, a mail that the server cannot bear would be first for ever.
                done.failed.append((delivery, str(error)))
                done.untried = [one.id for one in owed[nth + 1 :]]
                if self._was_cut_off:
                    done.away, done.longest = str(error), DOUBTFUL_PAUSE
                self._was_cut_off = True
                return
            except Refused as error:
                done.refused.append((delivery, error))
                self._failed_in_a_row = 0
                self._was_cut_off = False
            except NotSent as error:
                done.failed.append((delivery, str(error)))
                self._was_cut_off = False
                if not error.is_about_mail:
                    self._failed_in_a_row += 1
                if self._failed_in_a_row >= IN_A_ROW:
                    done.away = f"{self._failed_in_a_row} mails in a row: {error}"
                    done.untried = [one.id for one in owed[nth + 1 :]]
                    return
            else:
                marker.sent(delivery.id, leased_until=until, now=self._now)
                self._sent += 1
                self._failed_in_a_row = 0
                self._was_cut_off = False
                self._transport.breaker.mend()

    def _broken(self, delivery: Delivery, error: Exception, done: _Done) -> None:
        log.error("mail failed: delivery=%s", delivery.id, exc_info=error)
        done.failed.append((delivery, repr(error)))

    def _pause(self, ids: list[int], error: ServerAway) -> None:
        """The server could not even be reached: leave these as they are, but say why."""
        self._trip(str(error))
        with open_db.begin() as db:
            deliveries.note_trouble(db, ids, error=str(error))

    def _trip(self, reason: str, *, longest: timedelta = LONGEST_PAUSE) -> None:
        pause = self._transport.breaker.trip(reason, longest=longest)
        log.warning("mail server away, left alone for %s: %s", pause, reason)

    def _write_down(self, done: _Done, *, until: datetime) -> None:
        now = self._now
        if done.away:
            self._trip(done.away, longest=done.longest)
        if done == _Done():
            return
        with open_db.begin() as db:
            deliveries.hold_rows(db, done.ids)
            for delivery, because in done.dropped:
                deliveries.mark_dropped(db, delivery, because=because)
                log.info("mail dropped: delivery=%s because=%s", delivery.id, because)
            for delivery, due_at in done.postponed:
                deliveries.mark_postponed(db, delivery, until=due_at)
            for delivery, error in done.failed:
                log.warning("mail not sent yet: delivery=%s %s", delivery.id, error)
                deliveries.mark_failed(db, delivery, error=error, now=now)
            for delivery, refusal in done.refused:
                log.warning("mail refused: delivery=%s %s", delivery.id, refusal)
                deliveries.mark_refused(db, delivery, error=str(refusal))
                if refusal.is_no_address:
                    troubles.refused(db, delivery.user_id, because=str(refusal), now=now)
            if done.untried:
                deliveries.put_back(db, done.untried, leased_until=until, error=done.away)
