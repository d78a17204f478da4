"""The application for WSGI servers and for `flask --app wsgi`."""

import os

from config import Config
from webinar.app import create_app

app = create_app(Config.from_env(os.environ))
