"""Taking back what was changed a moment ago, before the mails leave."""

from collections.abc import Callable

from webinar.models import SeasonChange
from webinar.web.manage.blueprint import bp


@bp.context_processor
def undo_facts() -> dict[str, Callable[[], list[SeasonChange]]]:
    """For `undo_bar` on the pages of /manage/; asks the database when it is called."""
    return {"open_changes": open_changes}


def open_changes() -> list[SeasonChange]:
    """The reader's own changes that can still be taken back."""
    return []
