"""flask users erase: for who asks by letter, and cannot press the button themselves."""

from datetime import UTC, datetime

import click

from webinar.db import open_db
from webinar.domain.errors import DomainError
from webinar.services import accounts, erasure


@click.command()
@click.argument("email")
@click.option("--reason", required=True, help="Why, and how you know who asked; kept.")
@click.option("--by", default="", help="E-mail of the administrator who does it.")
@click.option("--yes", is_flag=True, help="Do it; without, only say what would happen.")
def erase(email: str, reason: str, by: str, yes: bool) -> None:
    """Erase the person with this EMAIL, for good. Credit and certificates stay."""
    if not reason.strip():
        raise DomainError("Say why; the reason is kept in the audit trail.")
    with open_db.begin() as db:
        user = accounts.by_email(db, email)
        actor_id = accounts.by_email(db, by).id if by else None
        if not yes:
            click.echo(f"{user.name} <{user.email}> would be erased. Say --yes to do it.")
            return
        name = user.name
        erasure.erase(db, user.id, actor_id=actor_id, reason=reason.strip(), now=datetime.now(UTC))
    click.echo(f"{name} is erased: person {user.id} has no name any more.")


COMMANDS = (erase,)
