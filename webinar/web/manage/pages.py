"""All of /manage/: importing the modules puts their views on the blueprint."""

from webinar.web.manage import (
    accreditation,
    blueprint,
    figures,
    index,
    people,
    policies,
    quiz,
    recordings,
    scope,
    season_undo,
    series,
    session_acts,
    session_duplicate,
    session_edit,
    session_move,
    session_new,
    sessions,
    simulator,
)

bp = blueprint.bp
MODULES = (
    accreditation,
    figures,
    index,
    people,
    policies,
    quiz,
    recordings,
    scope,
    season_undo,
    series,
    session_acts,
    session_duplicate,
    session_edit,
    session_move,
    session_new,
    sessions,
    simulator,
)
