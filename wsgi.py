"""The application for WSGI servers and for `flask --app wsgi`."""

import os

from config import Config
from webinar import logs
from webinar.app import create_app
from webinar.jobs.living import SignOfLife

config = Config.from_env(os.environ)
logs.start(config.LOG, secrets=config.secrets(), shows_people=config.DEVELOPMENT)
if config.STORAGE_URL:
    # Takes a third of a second: only where a bucket is used. It enters itself among the stores.
    import webinar.media.bucket  # noqa: F401

app = create_app(config)
# Begun by the server that serves it; a command does not.
app.extensions["sign_of_life"] = SignOfLife("web")
