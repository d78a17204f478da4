"""What every command is wrapped in."""

import click

from webinar.cli.refusals import refuse_politely


def test_a_command_is_wrapped_once_however_many_applications_are_made() -> None:
    command = click.Command("anything", callback=lambda: None)

    first = refuse_politely(command).callback
    again = refuse_politely(command).callback

    assert again is first
