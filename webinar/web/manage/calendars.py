"""The calendar tool for whatever /manage/ changes."""

from flask import current_app

from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool


def calendar() -> CalendarTool:
    """What keeps calendars up to date, from the settings."""
    return calendar_tool(current_app.extensions["config"])
