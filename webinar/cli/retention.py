"""flask retention: what is kept for how long, what was forgotten last, and forgetting now."""

from datetime import UTC, datetime

import click
from flask import current_app

from config import Config
from webinar.db import read_db
from webinar.domain.errors import NotFound
from webinar.domain.retention import RECORDINGS, RULES, RetentionKind, Unit
from webinar.jobs import forgetting
from webinar.services import retention as stored


@click.group("retention")
def retention() -> None:
    """How long each kind of data is kept."""


@retention.command("list")
def list_rules() -> None:
    """Every kind: how long it is kept, and what its last run did."""
    config = _config()
    with read_db() as db:
        last = {run.kind: run for run in stored.last_runs(db)}
    for rule in (*RULES, *RECORDINGS):
        keep = forgetting.kept_for(rule, config)
        length = "for ever" if rule.unit is Unit.YEARS and not keep else f"{keep} {rule.unit}"
        run = last.get(rule.kind.value)
        told = (
            "never run"
            if run is None
            else f"last {run.ran_at:%Y-%m-%d %H:%M} UTC: {run.deleted} deleted, "
            f"{run.left_over} left over"
        )
        setting = f" (WEBINAR_{rule.setting})" if rule.setting else ""
        click.echo(f"{rule.kind.value}: {length}{setting}; {told}")


@retention.command("run")
@click.argument("kind", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
def run_now(kind: str | None, dry_run: bool) -> None:
    """Forget what is older than its setting says, of KIND or of every kind.

    Status 1 if something stays that should have gone.
    """
    config, now = _config(), datetime.now(UTC)
    known = {rule.kind.value: rule for rule in RULES}
    if kind is not None and kind not in known:
        raise NotFound(f"There is no kind {kind!r}. Kinds are: {', '.join(known)}.")
    if dry_run:
        for one in forgetting.due(config, now=now):
            if kind in (None, one.rule.kind.value) and one.older_than is not None:
                what = "sessions" if one.rule.kind is RetentionKind.EVIDENCE else "rows"
                click.echo(
                    f"{one.rule.kind.value}: {one.rows} {what} older than "
                    f"{one.older_than:%Y-%m-%d %H:%M} UTC would go"
                )
        return
    left_over = 0
    for rule in known.values():
        if kind not in (None, rule.kind.value):
            continue
        run = forgetting.forget(rule, config, now=now)
        if run is None:
            click.echo(f"{rule.kind.value}: kept for ever")
            continue
        left_over += run.left_over
        click.echo(f"{rule.kind.value}: {run.deleted} deleted, {run.left_over} left over")
    if left_over:
        raise click.exceptions.Exit(1)


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config
