"""The one blueprint of /manage/; each module beside this one puts its views on it."""

from flask import Blueprint

bp = Blueprint("manage", __name__, url_prefix="/manage")
