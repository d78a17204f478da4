"""Mails that are due: claimed one by one, sent, and written down as sent."""

import logging
import time
from datetime import datetime, timedelta

from webinar.db import open_db
from webinar.domain.letter import Dropped, Letter, Postponed
from webinar.jobs.toolbox import Toolbox
from webinar.mail.compose import Composer
from webinar.mail.transport import NotSent, Refused, Transport
from webinar.models import Delivery
from webinar.services import deliveries, letters

log = logging.getLogger(__name__)

# So that a tick ends; what is left is due at the next one.
AT_A_TIME = 200


class StillLeased(Exception):
    """Another process is sending one of these; ask again when its lease is over."""


def deliver_due(tools: Toolbox, now: datetime) -> None:
    """The clock's tick: send what is owed by now."""
    send_due(tools.transport, tools.composer, now=now)


def send_due(transport: Transport, composer: Composer, *, now: datetime) -> int:
    """Send every mail that is owed by `now`; how many went out.

    At least once each: whoever dies between the mail server's yes and our own note sends it
    again when the lease is over, under the same Message-ID. One transaction an item, none of
    them open while the mail server is talked to.
    """
    with open_db() as db:
        owed = deliveries.due(db, now=now, limit=AT_A_TIME)
    return _send_all(owed, transport, composer, now=now)


def send_batch(tools: Toolbox, delivery_ids: list[int], *, now: datetime) -> int:
    """The engine's handler: send these if they are still owed; how many went out.

    Raises StillLeased if one of them meets a live lease: returning would strand it.
    """
    sent = _send_all(delivery_ids, tools.transport, tools.composer, now=now)
    with open_db() as db:
        leased = deliveries.leased_among(db, delivery_ids)
    if leased:
        raise StillLeased(f"being sent elsewhere: {leased}")
    return sent


def _send_all(owed: list[int], transport: Transport, composer: Composer, *, now: datetime) -> int:
    if not owed:
        return 0
    began = time.monotonic()
    sent = 0
    for delivery_id in owed:
        # A lease must count from when it is taken, not from when the tick began.
        moment = now + timedelta(seconds=time.monotonic() - began)
        try:
            sent += _deliver(delivery_id, transport, composer, now=moment)
        except Exception as error:
            # One mail that cannot be written must not hold up the others.
            log.exception("mail failed: delivery=%s", delivery_id)
            _put_off(delivery_id, error, now=moment)
    transport.close()
    return sent


def _deliver(delivery_id: int, transport: Transport, composer: Composer, *, now: datetime) -> bool:
    """True if this mail went out now."""
    with open_db.begin() as db:
        delivery = deliveries.claim(db, delivery_id, now=now)
        if delivery is None:
            return False
        outcome = letters.letter_for(db, delivery, now=now)
        if isinstance(outcome, Dropped):
            deliveries.mark_dropped(db, delivery, because=outcome.because)
            log.info("mail dropped: delivery=%s because=%s", delivery_id, outcome.because)
            return False
        if isinstance(outcome, Postponed):
            deliveries.mark_postponed(db, delivery, until=outcome.until)
            return False
    return _send(delivery, outcome, transport, composer, now=now)


def _put_off(delivery_id: int, error: Exception, *, now: datetime) -> None:
    with open_db.begin() as db:
        deliveries.mark_broken(db, delivery_id, error=repr(error), now=now)


def _send(
    delivery: Delivery, letter: Letter, transport: Transport, composer: Composer, *, now: datetime
) -> bool:
    name = f"{letter.kind}-{delivery.id}"
    try:
        transport.send(composer.compose(letter, now=now), name=name, now=now)
    except Refused as error:
        log.warning("mail refused: delivery=%s %s", delivery.id, error)
        with open_db.begin() as db:
            deliveries.mark_refused(db, delivery, error=str(error))
        return False
    except NotSent as error:
        log.warning("mail not sent yet: delivery=%s %s", delivery.id, error)
        with open_db.begin() as db:
            deliveries.mark_failed(db, delivery, error=str(error), now=now)
        return False
    with open_db.begin() as db:
        deliveries.mark_sent(db, delivery, now=now)
    return True
