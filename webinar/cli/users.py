"""flask users: add people, trust them with roles, let them in."""

from datetime import UTC, datetime

import click
from flask import current_app

from webinar.db import open_db
from webinar.domain.access import Role
from webinar.domain.person import PROFESSIONS, PersonDetails
from webinar.services import accounts, roles, societies

ROLES = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """People and their roles."""


@users.command()
@click.argument("email")
@click.option("--name", required=True, help="As it goes on a certificate.")
@click.option("--role", "given", type=ROLES, multiple=True, help="May be given several times.")
@click.option("--country", default="CH", show_default=True, help="Two letters (ISO 3166-1).")
@click.option(
    "--profession", type=click.Choice(list(PROFESSIONS)), default="other", show_default=True
)
@click.option("--zone", default="Europe/Zurich", show_default=True, help="Time zone.")
def add(
    email: str, name: str, given: tuple[str, ...], country: str, profession: str, zone: str
) -> None:
    """Add a person whose e-mail you vouch for, and print a sign-in link for them."""
    now = datetime.now(UTC)
    details = PersonDetails(name=name, country=country, profession=profession, zone=zone)
    with open_db.begin() as db:
        user = accounts.add_person(db, email, details, now=now)
        for role in given:
            roles.give_role(db, user.id, Role(role), actor_id=None, now=now)
        token = accounts.sign_in_token(db, user, now=now)
    click.echo(f"Added {user.email}.")
    click.echo(_link(token))


@users.command("set-role")
@click.argument("email")
@click.argument("role", type=ROLES)
@click.option("--society", default="", help="For this society only (its short name).")
@click.option("--remove", is_flag=True, help="Take the role away instead.")
def set_role(email: str, role: str, society: str, remove: bool) -> None:
    """Give a person a role everywhere or for one society, or take it away."""
    now = datetime.now(UTC)
    change = roles.take_role if remove else roles.give_role
    with open_db.begin() as db:
        user = accounts.by_email(db, email)
        society_id = societies.by_slug(db, society).id if society else None
        change(db, user.id, Role(role), society_id=society_id, actor_id=None, now=now)
        names = {found.id: found.slug for found in societies.listed(db)}
        held = [Role.PARTICIPANT.value]
        held += [
            f"{grant.role} ({names[grant.society_id]})" if grant.society_id else grant.role
            for grant in user.grants
        ]
    click.echo(f"{user.email}: {', '.join(sorted(held))}")


@users.command()
@click.argument("email")
def token(email: str) -> None:
    """Print a sign-in link that works once, for 15 minutes."""
    with open_db.begin() as db:
        user = accounts.by_email(db, email)
        secret = accounts.sign_in_token(db, user, now=datetime.now(UTC))
    click.echo(_link(secret))


def _link(token: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}/sign-in/{token}"
