"""Is it alive, and is it ready: for whoever watches the service."""

import logging

from flask import Blueprint, current_app, g
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from webinar.domain import service_health
from webinar.domain.service_health import Part, Remark, Standing
from webinar.services import service_state
from webinar.tools import newest_schema, service_settings
from webinar.web.access import public

log = logging.getLogger(__name__)

bp = Blueprint("health", __name__)

STATUS = {Standing.FINE: "ready", Standing.DEGRADED: "degraded", Standing.BROKEN: "unready"}
# Who serves people need not know of these; they are told to administrators.
NOT_SERVING = frozenset({Part.BACKUP, Part.KEYS_BACKUP, Part.RETENTION})


@bp.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers. The database is not asked: to start it anew would not help that."""
    return {"status": "ok"}, {"Cache-Control": "no-store"}


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Whether requests can be served (503 if not), and a word for each part.

    What is "degraded" is served: people notice little, and an administrator reads more about it
    at /manage/service/.
    """
    said = said_of_service(is_brief=True)
    parts = service_health.parts(said)
    serving = [remark for remark in said if remark.part not in NOT_SERVING]
    worst = service_health.worst(serving)
    answer = {"status": STATUS[worst]} | {
        part.value: word for part, word in parts.items() if part not in NOT_SERVING
    }
    if worst is not Standing.BROKEN:
        return answer, {"Cache-Control": "no-store"}
    return answer, 503, {"Cache-Control": "no-store", "Retry-After": "5"}


def said_of_service(*, is_brief: bool = False) -> list[Remark]:
    """All there is to say of the service now, the database's absence included."""
    try:
        schema = service_health.schema_remark(
            service_state.schema_revision(g.db), wanted=newest_schema()
        )
        if schema is not None and schema.standing is Standing.BROKEN:
            return [schema]
        state = service_state.read(g.db, now=g.now, is_brief=is_brief)
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        return [service_health.database_gone()]
    settings = service_settings(current_app.extensions["config"])
    found = service_health.remarks(service_state.facts(state, settings, now=g.now))
    return [schema, *found] if schema is not None else found
