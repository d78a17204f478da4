"""Every blueprint, one line each, in alphabetical order."""

from flask import Blueprint

from webinar.web import (
    auth,
    certificates,
    credits,
    evaluations,
    faculty,
    faculty_files,
    feeds,
    health,
    home,
    ingest,
    live,
    media,
    my,
    pages,
    presence,
    quizzes,
    recordings,
    registrations,
    series,
    sessions,
    societies,
    studio,
    studio_desk,
    styleguide,
    topics,
    watch_places,
    zone,
)
from webinar.web.manage import pages as manage


def all_blueprints(*, development: bool) -> list[Blueprint]:
    """The blueprints to register; the styleguide only while developing."""
    found = [
        auth.bp,
        certificates.bp,
        credits.bp,
        evaluations.bp,
        faculty.bp,
        faculty_files.bp,
        feeds.bp,
        health.bp,
        home.bp,
        ingest.bp,
        live.bp,
        manage.bp,
        media.bp,
        my.bp,
        pages.bp,
        presence.bp,
        quizzes.bp,
        recordings.bp,
        registrations.bp,
        series.bp,
        sessions.bp,
        societies.bp,
        studio.bp,
        studio_desk.bp,
        topics.bp,
        watch_places.bp,
        zone.bp,
    ]
    return [*found, styleguide.bp] if development else found
