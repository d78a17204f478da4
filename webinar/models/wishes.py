"""Which mails a person wants, and whether mail reaches them at all."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base, states
from webinar.domain.mail_wishes import AddressTrouble, MailTopic


class MailWish(Base):
    """What the person said about a topic of mail; without a row the topic's default holds."""

    __tablename__ = "mail_wish"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    topic: Mapped[MailTopic] = mapped_column(states(MailTopic), primary_key=True)
    is_wanted: Mapped[bool]
    changed_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(20))  # "page", "one-click", "complaint"


class DigestTopic(Base):
    """The weekly digest is of these topics only; without a row, of all."""

    __tablename__ = "digest_topic"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), primary_key=True)


class MailTrouble(Base):
    """Mail to this person comes back, or they complained: what is not necessary is not sent."""

    __tablename__ = "mail_trouble"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    trouble: Mapped[AddressTrouble] = mapped_column(states(AddressTrouble))
    email: Mapped[str] = mapped_column(String(254))  # of then: a new address has no trouble yet
    returned: Mapped[int] = mapped_column(
        default=0
    )  # mails that came back since the last good sign
    detail: Mapped[str] = mapped_column(Text, default="")  # what the other server said
    since: Mapped[datetime]
    last_at: Mapped[datetime]
