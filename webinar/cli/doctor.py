"""flask doctor: what is wrong with this deployment, and how it is mended."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import click
from flask import current_app

from webinar.domain.checkup import Finding, Severity
from webinar.domain.wording import plural
from webinar.jobs.checkup import database, machine, neighbours, settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object for scripts.")
def doctor(as_json: bool) -> None:
    """Check this deployment from the inside; end with 1 if anything is wrong."""
    config = current_app.extensions["config"]
    now = datetime.now(UTC)
    found = [
        *settings.check(config),
        *machine.check(config, now=now),
        *database.check(config, now=now),
        *neighbours.check(config),
    ]
    found.sort(key=lambda finding: finding.severity is not Severity.WRONG)
    wrong = sum(finding.severity is Severity.WRONG for finding in found)
    if as_json:
        findings = [asdict(finding) for finding in found]
        click.echo(json.dumps({"wrong": wrong, "findings": findings}, ensure_ascii=False))
    else:
        _tell(found, wrong)
    if wrong:
        sys.exit(1)


def _tell(found: list[Finding], wrong: int) -> None:
    for finding in found:
        mark = click.style("WRONG ", fg="red", bold=True)
        if finding.severity is Severity.ADVICE:
            mark = click.style("advice", fg="yellow")
        click.echo(f"{mark}  {finding.check}: {finding.words}\n        {finding.mend}\n")
    if wrong:
        click.echo(f"{plural(wrong, 'thing is', 'things are')} wrong.")
    else:
        click.echo("Nothing is wrong.")
