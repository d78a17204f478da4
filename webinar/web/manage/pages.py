"""All of /manage/: importing the modules puts their views on the blueprint."""

from webinar.web.manage import (
    accreditation,
    blueprint,
    index,
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
    quiz,
    recordings,
    scope,
    series,
    sessions,
    simulator,
)
