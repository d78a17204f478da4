"""Attention checks: put to a person while they watch; the answer, or that none came, is kept."""

from collections.abc import Sequence

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.models import AttentionCheck


def of_people(
    db: DbSession, session_id: int, user_ids: Sequence[int], mode: ViewingMode
) -> dict[int, tuple[int, int]]:
    """(issued, answered) of each of these people; who was put none is not in it."""
    rows = db.execute(
        select(
            AttentionCheck.user_id,
            func.count(AttentionCheck.id),
            func.count(AttentionCheck.answered_at),
        )
        .where(
            AttentionCheck.session_id == session_id,
            AttentionCheck.mode == mode,
            AttentionCheck.user_id.in_(user_ids),
        )
        .group_by(AttentionCheck.user_id)
    )
    return {user_id: (issued, answered) for user_id, issued, answered in rows}
