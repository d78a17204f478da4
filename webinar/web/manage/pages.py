"""All of /manage/: importing the modules puts their views on the blueprint."""

from webinar.web.manage import (
    accreditation,
    blueprint,
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
    index,
    people,
    quiz,
    recordings,
    scope,
    series,
    sessions,
    simulator,
)
