"""Certificates in the browser: the same bytes for everybody, checked by strangers, mended by us."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from config import Config
from tests.builders import make_user
from tests.certificate_samples import sample_paper
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.documents.signature_check import check_signature
from webinar.domain.access import Role
from webinar.jobs import certificates as job
from webinar.jobs.toolbox import Toolbox
from webinar.models import (
    AuditEvent,
    Certificate,
    CertificatePaper,
    EvidenceLink,
    User,
)
from webinar.services import certificate_papers, certificates, credits
from webinar.services.evidence.digests import DIGESTS
from webinar.tools import signing_keys

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def attendee(db: DbSession) -> User:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    second = make_grant(db, session, "ama-pra-live", "0.75", body="second")
    second.accreditor.name = "A second body"
    user = make_attendee(db, session)
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    db.commit()
    return user


def number_of(db: DbSession) -> str:
    number = db.scalars(
        select(Certificate.number).order_by(Certificate.revision.desc()).limit(1)
    ).one()
    db.commit()
    return number


def officer(db: DbSession) -> User:
    person = make_user(db, email="officer@example.org", roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()
    return person


def test_everybody_gets_the_very_same_signed_bytes(
    db: DbSession, config: Config, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    client = signed_in_as(attendee)

    first = client.get(f"/certificates/{number}.pdf").data
    second = client.get(f"/certificates/{number}.pdf").data

    found = check_signature(first, signing_keys(config).published())
    assert first == second
    assert found.number == number
    assert db.scalars(select(CertificatePaper.pdf)).all() == [first]


def test_the_clock_makes_papers_ahead_of_the_first_download(
    db: DbSession, config: Config, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    now = AFTER

    job.set_certificates(Toolbox.from_config(config), now)
    job.set_certificates(Toolbox.from_config(config), now)

    made = db.scalars(select(CertificatePaper)).one()
    db.commit()
    assert made.made_at == now
    assert signed_in_as(attendee).get(f"/certificates/{number}.pdf").data == made.pdf


def test_makers_at_the_same_time_agree_on_one_paper(
    db: DbSession, app: Flask, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    clients = [signed_in_as(attendee) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        papers = set(
            pool.map(lambda client: client.get(f"/certificates/{number}.pdf").data, clients)
        )

    assert len(papers) == 1
    assert papers == set(db.scalars(select(CertificatePaper.pdf)))


def test_the_chain_vouches_for_the_certificate_its_paper_and_its_end(
    db: DbSession, config: Config, attendee: User
) -> None:
    certificate = db.scalars(select(Certificate)).one()
    db.commit()
    job.set_certificates(Toolbox.from_config(config), AFTER)
    certificates.revoke(db, certificate.number, actor_id=None, reason="In error.", now=AFTER)
    db.commit()

    links = db.scalars(
        select(EvidenceLink).where(EvidenceLink.kind == "certificate").order_by(EvidenceLink.number)
    ).all()
    digest = DIGESTS[links[-1].kind](db, links[-1].subject)

    assert [link.subject for link in links] == [str(certificate.id)] * 3
    assert len({link.digest for link in links}) == 3
    assert digest == links[-1].digest


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (Certificate, "number", "WCS-0000-0000-0000"),
        (Certificate, "content", {"person_name": "Somebody Else"}),
        (Certificate, "content_digest", "0" * 64),
        (Certificate, "decision_ids", [7]),
        (Certificate, "issued_at", datetime(2020, 1, 1, tzinfo=UTC)),
        (Certificate, "revoked_at", datetime(2020, 1, 1, tzinfo=UTC)),
        (Certificate, "revoke_reason", "No reason."),
        (Certificate, "superseded_by", "WCS-0000-0000-0000"),
        (CertificatePaper, "pdf", b"%PDF-1.7 of somebody else"),
        (CertificatePaper, "sha256", "0" * 64),
        (CertificatePaper, "badge", "a.b.c"),
        (CertificatePaper, "key_id", "0" * 64),
        (CertificatePaper, "made_at", datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_chain_finds_whatever_is_changed(
    db: DbSession,
    config: Config,
    attendee: User,
    table: type[Certificate] | type[CertificatePaper],
    column: str,
    value: object,
) -> None:
    job.set_certificates(Toolbox.from_config(config), AFTER)
    row = db.scalars(select(table)).one()
    link = db.scalars(
        select(EvidenceLink)
        .where(EvidenceLink.kind == "certificate")
        .order_by(EvidenceLink.number.desc())
        .limit(1)
    ).one()

    setattr(row, column, value)
    db.flush()

    assert DIGESTS[link.kind](db, link.subject) != link.digest


def test_a_body_that_wants_its_own_paper_gets_an_extract(
    db: DbSession, config: Config, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    client = signed_in_as(attendee)

    extract = client.get(f"/certificates/{number}/2.pdf").data
    text = PdfReader(io.BytesIO(extract)).pages[0].extract_text()

    assert f"Extract: 1 of the 2 credits of certificate {number}." in text
    assert check_signature(extract, signing_keys(config).published()).number == number
    assert client.get(f"/certificates/{number}/3.pdf").status_code == 404
    assert client.get(f"/certificates/{number}/0.pdf").status_code == 404


def test_a_wallet_gets_the_credential_and_finds_its_key_and_its_state(
    db: DbSession, attendee: User, signed_in_as: SignIn, client: FlaskClient
) -> None:
    number = number_of(db)
    token = signed_in_as(attendee).get(f"/certificates/{number}.jwt").text
    readable = signed_in_as(attendee).get(f"/certificates/{number}.json").json

    address = jwt.get_unverified_header(token)["kid"].removeprefix("http://localhost")
    key = jwt.PyJWK(json.loads(client.get(address).text))
    payload = jwt.decode(token, key, ["RS256"], {"verify_nbf": False, "verify_iat": False})
    before = client.get(f"/verify/{number}/status.json").json
    certificates.revoke(db, number, actor_id=None, reason="In error.", now=AFTER)
    db.commit()
    after = client.get(f"/verify/{number}/status.json").json

    assert payload == readable
    assert payload["credentialStatus"]["id"] == f"http://localhost/verify/{number}/status.json"
    assert before["revokedCredential"] == []
    assert after["revokedCredential"] == [
        {"id": payload["id"], "revoked": True, "revocationReason": "In error."}
    ]


def test_a_stranger_gives_a_file_and_learns_that_it_is_ours(
    db: DbSession, attendee: User, signed_in_as: SignIn, client: FlaskClient
) -> None:
    number = number_of(db)
    owner = signed_in_as(attendee)
    pdf = owner.get(f"/certificates/{number}.pdf").data
    extract = owner.get(f"/certificates/{number}/1.pdf").data

    whole = give(client, pdf)
    part = give(client, extract)

    assert "Your file is the one we signed" in whole
    assert f"Certificate {number}" in whole
    assert "Your file was signed by us" in part
    assert "This certificate is genuine" in part


def test_a_changed_or_foreign_file_is_refused_with_the_reason(
    db: DbSession, attendee: User, signed_in_as: SignIn, client: FlaskClient
) -> None:
    number = number_of(db)
    pdf = bytearray(signed_in_as(attendee).get(f"/certificates/{number}.pdf").data)
    pdf[5000] ^= 1

    assert "was changed after it was signed" in give(client, bytes(pdf))
    assert "signed with another key" in give(client, sample_paper().pdf)
    assert "This file is not signed" in give(client, b"%PDF-1.7")
    assert "Choose the certificate" in give(client, b"")


def give(client: FlaskClient, data: bytes) -> str:
    return client.post(
        "/verify/", data={"file": (io.BytesIO(data), "c.pdf")}, follow_redirects=True
    ).text


def test_the_published_certificates_are_for_everybody(client: FlaskClient) -> None:
    answer = client.get("/verify/keys.pem")

    assert answer.text.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in answer.text


def test_an_officer_issues_anew_under_the_corrected_name(
    db: DbSession, attendee: User, signed_in_as: SignIn, client: FlaskClient
) -> None:
    number = number_of(db)
    attendee.name = "Dr Anna Keller-Frei"
    db.commit()
    desk = signed_in_as(officer(db))

    page = desk.get(f"/manage/certificates/{number}").text
    refused = desk.post(f"/manage/certificates/{number}/reissue", data={"reissue_reason": " "})
    done = desk.post(
        f"/manage/certificates/{number}/reissue",
        data={"reissue_reason": "She married."},
        follow_redirects=True,
    )
    fresh = number_of(db)

    assert "the name becomes <strong>Dr Anna Keller-Frei</strong>" in page
    assert refused.status_code == 422
    assert fresh != number
    assert f"{fresh} takes its place" in done.text
    assert "Dr Anna Keller-Frei" in client.get(f"/verify/{fresh}").text
    former = client.get(f"/verify/{number}").text
    assert "A newer certificate takes its place" in former
    assert "Dr Anna Keller-Frei" not in former
    actions = db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions[-1] == "certificate issued anew"


def test_only_the_newest_certificate_is_issued_anew(
    db: DbSession, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    person = officer(db)
    certificates.reissue(
        db, number, actor_id=person.id, reason="Once.", public_url="http://x", now=AFTER
    )
    db.commit()

    again = signed_in_as(person).post(
        f"/manage/certificates/{number}/reissue", data={"reissue_reason": "Twice."}
    )

    assert again.status_code == 409
    assert "A newer certificate has taken the place of this one" in again.text


def test_an_officer_revokes_with_a_reason_that_everybody_reads(
    db: DbSession, attendee: User, signed_in_as: SignIn, client: FlaskClient
) -> None:
    number = number_of(db)
    desk = signed_in_as(officer(db))

    refused = desk.post(f"/manage/certificates/{number}/revoke", data={"reason": ""})
    desk.post(f"/manage/certificates/{number}/revoke", data={"reason": "Issued in error."})

    assert refused.status_code == 422
    assert "Reason: Issued in error." in client.get(f"/verify/{number}").text


def test_a_revoked_one_is_issued_anew_where_credit_still_stands(
    db: DbSession, attendee: User
) -> None:
    number = number_of(db)
    certificates.revoke(db, number, actor_id=None, reason="In error.", now=AFTER)

    fresh = certificates.reissue(
        db, number, actor_id=None, reason="It was right.", public_url="http://x", now=AFTER
    )

    assert certificates.verify(db, number).standing is certificates.Standing.REVOKED
    assert certificates.verify(db, fresh.number).standing is certificates.Standing.GENUINE
    assert certificates.content_of(fresh).supersedes == number


def test_a_number_is_looked_up_however_it_is_typed(
    db: DbSession, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    desk = signed_in_as(officer(db))

    found = desk.get("/manage/certificates/", query_string={"number": number.lower()})
    unknown = desk.get("/manage/certificates/", query_string={"number": "WCS-0000-0000-0000"})

    assert found.location.endswith(f"/manage/certificates/{number}")
    assert "We have not issued a certificate with the number" in unknown.text


def test_who_is_no_officer_changes_nothing(
    db: DbSession, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    client = signed_in_as(attendee)

    answers = [
        client.get(f"/manage/certificates/{number}").status_code,
        client.post(f"/manage/certificates/{number}/revoke", data={"reason": "x"}).status_code,
        client.post(
            f"/manage/certificates/{number}/reissue", data={"reissue_reason": "x"}
        ).status_code,
    ]

    assert answers == [403, 403, 403]


def test_a_name_no_font_has_keeps_nobody_elses_certificate_waiting(
    db: DbSession, config: Config, attendee: User
) -> None:
    certificate = db.scalars(select(Certificate)).one()
    second = make_user(db, name="王小明", email="wang@example.org")
    content = certificates.content_of(certificate)
    db.add(
        Certificate(
            number="WCS-0000-0000-0001",
            session_id=certificate.session_id,
            user_id=second.id,
            revision=0,
            content=certificate.content | {"person_name": second.name},
            content_digest=content.digest,
            decision_ids=[],
            issued_at=AFTER,
        )
    )
    db.commit()

    job.set_certificates(Toolbox.from_config(config), AFTER)

    assert db.scalars(select(CertificatePaper.certificate_id)).all() == [certificate.id]
    assert len(certificate_papers.to_set(db, limit=9, now=AFTER)) == 1


def test_the_transcript_lists_what_is_held_and_is_taken_along(
    db: DbSession, attendee: User, signed_in_as: SignIn
) -> None:
    number = number_of(db)
    client = signed_in_as(attendee)

    page = client.get("/my/transcript").text
    one_body = client.get("/my/transcript", query_string={"body": "A second body"}).text
    empty = client.get("/my/transcript?year=1999").text
    table = client.get("/my/transcript.csv").text
    paper = client.get("/my/transcript.pdf").data

    assert page.count(f"/certificates/{number}.pdf") == 2
    assert one_body.count(f"/certificates/{number}.pdf") == 1
    assert "Nothing fits" in empty
    assert table.count(number) == 2
    assert "Transcript" in PdfReader(io.BytesIO(paper)).pages[0].extract_text()


def test_a_transcript_without_credit_says_what_to_do(db: DbSession, signed_in_as: SignIn) -> None:
    newcomer = make_user(db, email="new@example.org")
    db.commit()

    assert "No credit yet" in signed_in_as(newcomer).get("/my/transcript").text
