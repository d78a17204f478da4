"""Every blueprint, one line each, in alphabetical order."""

from flask import Blueprint

from webinar.web import (
    auth,
    feeds,
    health,
    live,
    media,
    my,
    recordings,
    registrations,
    studio,
    styleguide,
    zone,
)


def all_blueprints(*, development: bool) -> list[Blueprint]:
    """The blueprints to register; the styleguide only while developing."""
    found = [
        auth.bp,
        feeds.bp,
        health.bp,
        live.bp,
        media.bp,
        my.bp,
        recordings.bp,
        registrations.bp,
        studio.bp,
        zone.bp,
    ]
    return [*found, styleguide.bp] if development else found
