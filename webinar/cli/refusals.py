"""A refused rule ends a command with its sentence instead of a traceback."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import NoResultFound

from webinar.domain.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")
MARK = "refuses_politely"


def refuse_politely(command: click.Command) -> click.Command:
    """Wrap a command, or every command of a group; once, however many applications are made."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            refuse_politely(inner)
    elif command.callback is not None and not hasattr(command, MARK):
        setattr(command, MARK, True)
        # A test invokes a command without the application context that `flask` would give it.
        command.callback = with_appcontext(_politely(command.callback))
    return command


def _politely(run: Callable[P, R]) -> Callable[P, R]:
    @wraps(run)
    def polite(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except NoResultFound as missing:
            raise click.ClickException("There is no such thing.") from missing

    return polite
