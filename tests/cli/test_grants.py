from flask import Flask

from tests.builders import make_session
from tests.evidence import make_grant
from webinar.db import DbSession
from webinar.domain.credit import GrantStatus


def test_the_grants_of_a_session_are_printed_in_sentences(app: Flask, db: DbSession) -> None:
    session = make_session(db)
    make_grant(db, session, "esmo-mora-live", "1")
    make_grant(db, session, "acoe-distance", "0.5", status=GrantStatus.APPLIED)
    db.commit()

    result = app.test_cli_runner().invoke(args=["credits", "grants", session.public_id])

    assert result.output == (
        "esmo-mora-live  granted    Being there live earns 1 point from 80 % of the session; it "
        "needs the evaluation within 28 days.\n"
        "acoe-distance  applied    Watching the recording earns 0.5 point from 90 % of it; it "
        "needs the test (any result) and the evaluation.\n"
    )
