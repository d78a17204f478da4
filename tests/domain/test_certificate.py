import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate import (
    ALPHABET,
    CertificateContent,
    CreditLine,
    MalformedNumber,
    new_number,
    normalise_number,
)

CONTENT = CertificateContent(
    number="WCS-7K3M-9QXT-4B2H",
    person_name="Dr. Ελένη Παπαδοπούλου-Šimić",
    title="Axillary surgery after neoadjuvant treatment",
    series="e-grandrounds",
    held="Thursday 26 November 2026, 18:15-19:00 CET (Zurich)",
    mode=ViewingMode.LIVE,
    provider="Demo School of Oncology",
    lines=(
        CreditLine(
            body="EACCME",
            credits=Decimal("0.5"),
            unit="ECMEC",
            reference="LEE-2026-00001",
            statement="Accredited by the EACCME with 0.5 European CME credits.",
        ),
    ),
    minutes_attended=43,
    faculty=("Prof. Jana Nováková", "Dr. Luca Rossi"),
    issued_on=date(2026, 11, 26),
    verify_url="https://example.org/verify/WCS-7K3M-9QXT-4B2H",
)
NUMBER = new_number(bytes([7, 61, 115, 16, 200, 33, 90]))


def test_a_number_has_three_groups_of_four_after_its_prefix():
    assert NUMBER == "WCS-TA8G-C8CE-XS1Y"


@given(st.binary(min_size=7, max_size=16))
def test_every_new_number_reads_back_as_itself(random_bytes):
    number = new_number(random_bytes)

    assert normalise_number(number) == number
    assert len(number) == 18


def test_a_number_takes_seven_random_bytes():
    with pytest.raises(ValueError, match="7 random bytes"):
        new_number(b"123456")


@pytest.mark.parametrize(
    "typed",
    [
        NUMBER.lower(),
        NUMBER.replace("-", ""),
        NUMBER.replace("-", " "),
        NUMBER.replace("-", "–"),
        f"  {NUMBER}\n",
        NUMBER.removeprefix("WCS-"),
        NUMBER.replace("1", "l"),
        NUMBER.replace("1", "I").replace("0", "o"),
    ],
)
def test_a_number_may_be_typed_in_many_ways(typed):
    assert normalise_number(typed) == NUMBER


@pytest.mark.parametrize(
    "typed", ["", "WCS", "WCS-7K3M-9QXT", NUMBER + "0", "U" * 12, "é" * 12, "0" * 5000, "ß" * 12]
)
def test_what_cannot_be_a_number_is_refused(typed):
    with pytest.raises(MalformedNumber) as refused:
        normalise_number(typed)

    assert str(refused.value) == (
        "This is not a certificate number. It looks like WCS-7K3M-9QXT-4B2H "
        "and stands at the foot of the certificate."
    )


def test_every_single_wrong_character_is_found():
    body = NUMBER.replace("-", "").removeprefix("WCS")
    for place, right in enumerate(body):
        for wrong in set(ALPHABET) - {right}:
            with pytest.raises(MalformedNumber):
                normalise_number(body[:place] + wrong + body[place + 1 :])


def test_every_two_characters_that_changed_places_are_found():
    body = NUMBER.replace("-", "").removeprefix("WCS")
    for first, second in combinations(range(12), 2):
        swapped = list(body)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        if swapped != list(body):
            with pytest.raises(MalformedNumber):
                normalise_number("".join(swapped))


def test_content_comes_back_from_its_canonical_text():
    full = replace(
        CONTENT,
        auspices="Under the auspices of the Demo Society",
        disclosures_url="https://example.org/sessions/abc",
        signatory="Prof. Jana Nováková",
        signatory_role="Scientific chair",
        supersedes="WCS-0000-0000-0000",
        place="Zurich",
        provider_legal_name="Demo School of Oncology, Zurich",
    )

    assert CertificateContent.from_json(CONTENT.to_json()) == CONTENT
    assert CertificateContent.from_json(full.to_json()) == full


def test_the_canonical_text_has_its_keys_in_order_and_no_spaces_between():
    text = CONTENT.to_json()

    assert text == json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert json.loads(text)["person_name"] == "Dr. Ελένη Παπαδοπούλου-Šimić"


def test_the_digest_changes_with_the_content_and_not_with_the_way_it_is_written():
    composed = replace(CONTENT, person_name="Šimić")
    decomposed = replace(CONTENT, person_name="S\u030cimic\u0301")

    assert composed.digest == decomposed.digest
    assert composed.digest != CONTENT.digest
    assert CONTENT.digest == "2ccd49053494d7e46ae400c03e2087146349ac72addfffe043414eee951cc8bf"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"title": None}, "'title' is missing or no text"),
        ({"auspices": 5}, "'auspices' is missing or no text"),
        ({"mode": "seen"}, "'seen' is not a valid ViewingMode"),
        ({"minutes_attended": "43"}, "'minutes_attended' is a whole number"),
        ({"issued_on": "today"}, "Invalid isoformat string: 'today'"),
        ({"faculty": [5]}, "'faculty' is missing or no text"),
        ({"lines": {}}, "'lines' and 'faculty' are lists"),
        ({"lines": [5]}, "a credit line is an object"),
        ({"lines": [{"x": "y"}]}, "unknown field 'x'"),
        ({"lines": [{"body": "y"}]}, "'credits' is missing or no text"),
    ],
)
def test_content_that_cannot_be_read_is_refused_by_name(change, message):
    data = json.loads(CONTENT.to_json()) | change

    with pytest.raises(ValueError, match=r".") as refused:
        CertificateContent.from_json(json.dumps(data))

    assert str(refused.value) == message


def test_content_is_an_object_and_credit_a_number():
    with pytest.raises(ValueError, match="is an object"):
        CertificateContent.from_json("[]")
    with pytest.raises(ValueError, match="'much' is no amount"):
        CertificateContent.from_json(CONTENT.to_json().replace('"0.5"', '"much"'))
