import json
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from webinar.cli.credits import credits
from webinar.services.policies import seed_policies

DATA = Path(__file__).parents[1] / "data" / "cme"
VECTORS = json.loads((DATA / "vectors.json").read_text())["vectors"]
RUNNER = Flask("cases").test_cli_runner()
CASE = {
    "id": "A",
    "policy": "ama-pra-live",
    "window": [0, 2700],
    "intervals": [[0, 2700]],
    "grant": 1.0,
}


def run(*lines: object) -> Result:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return RUNNER.invoke(credits, ["decide"], input=text)


def test_all_published_examples_come_out_as_written():
    result = run(*VECTORS)

    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [(answer["id"], answer["credit"], answer["reason"]) for answer in answers] == [
        (vector["id"], vector["expect_credit"], vector["expect_reason"]) for vector in VECTORS
    ]


def test_the_shipped_policies_are_the_published_ones_with_the_accreditors_name():
    text = resources.files("webinar.services").joinpath("seeds/credit_policies.json").read_text()
    shipped, published = json.loads(text), json.loads((DATA / "policies.json").read_text())
    for data in (shipped, published):
        del data["_note"]

    bodies = {name: data.pop("body") for name, data in shipped.items()}
    faculty = {name: shipped.pop(name) for name in ["ama-pra-faculty"]}

    assert shipped == published
    assert {rule["mode"] for rule in faculty.values()} == {"faculty"}
    assert set(seed_policies()) == set(published) | set(faculty)
    assert bodies["eaccme-3.0-live"] == "EACCME"


def test_one_line_comes_out_for_one_case():
    result = run(CASE)

    assert result.stdout == (
        '{"id": "A", "credit": 0.75, "reason": "ok", "explanation": "45:00 of 45:00 counted; '
        'AMA PRA gives 0.25 per 15 minutes, to the nearest unit: 0.75 credit."}\n'
    )


def test_empty_lines_and_a_byte_order_mark_do_no_harm():
    result = run("\ufeff" + json.dumps(CASE), "", "  ")

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 1


def test_a_policy_may_stand_in_the_case_itself():
    policy = {"mode": "live", "unit_minutes": 30, "credit_per_unit": 0.1, "body": "Society"}

    result = run(CASE | {"policy": policy | {"evaluation_required": False}, "grant": 0.3})

    answer = json.loads(result.stdout, parse_float=Decimal)
    assert answer["credit"] == Decimal("0.1")


def test_a_case_without_a_grant_has_no_grant():
    without = {key: value for key, value in CASE.items() if key != "grant"}

    answers = [
        json.loads(run(case).stdout)
        for case in (without, CASE | {"grant": None}, CASE | {"status": "refused"})
    ]

    assert [answer["reason"] for answer in answers] == ["no_grant"] * 3


def test_deadlines_can_be_asked_about():
    late = CASE | {"policy": "eaccme-3.0-live", "hours_since_end": 673}
    test = {"correct": 4, "of": 4, "hours_after_end": 72.0001}
    test_late = CASE | {"policy": "it-ecm-sync", "test": test, "evaluation": True}

    result = run(late, test_late)

    reasons = [json.loads(line)["reason"] for line in result.stdout.splitlines()]
    assert reasons == ["evaluation_late", "test_late"]


def test_a_line_that_is_wrong_ends_the_run_and_leaves_the_lines_before_it():
    result = run(CASE, CASE | {"grant": "much"}, CASE)

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == "Line 2: 'grant' must be a number.\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "this is not JSON: Expecting property name enclosed in double quotes at column 2."),
        ("[]", "a case must be a JSON object."),
        ({}, "'id' must be a text or a whole number."),
        (CASE | {"colour": 1}, "unknown field 'colour'."),
        (CASE | {"id": True}, "'id' must be a text or a whole number."),
        (CASE | {"policy": None}, "'policy' must be the name of a policy, or an object."),
        (CASE | {"policy": {}}, "policy inline: 'mode' is missing: live or recorded"),
        (
            CASE | {"policy": {"mode": "live", "minutes": 1}},
            "policy inline: unknown field 'minutes'",
        ),
        (CASE | {"intervals": None}, "'intervals' must be a list of [from, to]."),
        (CASE | {"intervals": [[0]]}, "'intervals' takes stretches of the form [from, to]."),
        (CASE | {"intervals": [[0, 1.5]]}, "'intervals' takes whole seconds."),
        (CASE | {"intervals": [[2, 1]]}, "'intervals': [2, 1] ends before it starts."),
        (CASE | {"window": None}, "'window' takes stretches of the form [from, to]."),
        (CASE | {"window": [10, 0]}, "'window': [10, 0] ends before it starts."),
        (CASE | {"grant": True}, "'grant' must be a number."),
        (json.dumps(CASE).replace("1.0", "NaN"), "NaN is not a number."),
        (
            CASE | {"grant": -1},
            "'grant' must lie between 0 and 1000000, with at most 9 decimals.",
        ),
        (
            json.dumps(CASE).replace("1.0", "1e-99999999"),
            "'grant' must lie between 0 and 1000000, with at most 9 decimals.",
        ),
        (
            CASE | {"status": "maybe"},
            "'status' must be one of none, applied, granted, refused, withdrawn.",
        ),
        (CASE | {"checks_answered": -1}, "'checks_answered' must be a whole number from 0."),
        (CASE | {"evaluation": "yes"}, "'evaluation' must be true or false."),
        (CASE | {"identifier": 5}, "'identifier' must be a text."),
        (CASE | {"test": 5}, "'test' must be an object with 'correct' and 'of'."),
        (CASE | {"test": {"correct": 1}}, "'test': 'of' is missing."),
        (CASE | {"test": {"score": 1}}, "'test': unknown field 'score'."),
        (
            CASE | {"test": {"correct": 2, "of": 1}},
            "a test cannot have 2 of 1 answers right",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_its_number(line, message):
    result = run(line)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"Line 1: {message}\n"


def test_an_unknown_policy_is_refused_with_the_names_there_are():
    result = run(CASE | {"policy": "other"})

    assert result.stderr.startswith(
        "Line 1: there is no policy 'other'; there are eaccme-3.0-live, "
    )


def test_bytes_that_are_no_text_are_refused():
    result = RUNNER.invoke(credits, ["decide"], input=b"\xff\n")

    assert result.exit_code == 2
    assert result.stderr == "Line 1: this is not UTF-8.\n"


def test_json_nested_beyond_reason_is_refused():
    assert run("[" * 100_000).stderr == "Line 1: this JSON is nested too deeply.\n"
