"""Run the migrations on the engine the application is bound to."""

from typing import Any

from alembic import context

from webinar import models  # noqa: F401 -- fills the metadata
from webinar.db import Base, UTCDateTime


def render_item(kind: str, item: object, _context: Any) -> str | bool:
    # An old migration must never import today's program.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime()"
    return False


with context.config.attributes["engine"].begin() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    context.run_migrations()
