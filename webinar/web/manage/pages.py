"""All of /manage/: importing the modules puts their views on the blueprint."""

from webinar.web.manage import (
    accreditation,
    blueprint,
    figures,
    index,
    people,
    quiz,
    recordings,
    scope,
    series,
    sessions,
    simulator,
)

bp = blueprint.bp
MODULES = (
    accreditation,
    figures,
    index,
    people,
    quiz,
    recordings,
    scope,
    series,
    sessions,
    simulator,
)
