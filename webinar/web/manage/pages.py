"""All of /manage/: importing the modules puts their views on the blueprint."""

from webinar.web.manage import blueprint, index, recordings, series, sessions

bp = blueprint.bp
MODULES = (index, recordings, series, sessions)
