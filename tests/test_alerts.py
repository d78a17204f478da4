"""The rules for Prometheus name what is counted, and say what to do."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")


def rules() -> list[dict[str, object]]:
    [group] = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def metrics_in(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "", expression)
    return {
        next((name.removesuffix(end) for end in OF_A_HISTOGRAM if name.endswith(end)), name)
        for name in re.findall(r"\bwebinar_\w+", bare)
    }


def documented() -> dict[str, str]:
    """The metrics of the operations guide, with what stands in the column of their labels."""
    guide = (ROOT / "docs/operations.md").read_text()
    return dict(re.findall(r"^\| `(webinar_\w+)` \|([^|]*)\|", guide, re.MULTILINE))


def test_every_rule_is_over_what_is_counted() -> None:
    known = documented()

    unknown = {
        name for rule in rules() for name in metrics_in(str(rule["expr"])) if name not in known
    }

    assert unknown == set()
    assert len(rules()) > 20


def test_rules_ask_for_labels_that_there_are() -> None:
    known = documented()
    asked = [
        (name, label)
        for rule in rules()
        for name, labels in re.findall(r"\b(webinar_\w+)\{([^}]*)\}", str(rule["expr"]))
        for label in re.findall(r"(\w+)(?:=|!=|=~)\"", labels)
    ]

    strange = [
        (name, label)
        for name, label in asked
        if f"`{label}`" not in known[name.removesuffix("_bucket")]
    ]

    assert strange == []
    assert asked != []


def test_every_rule_has_a_name_of_its_own_a_severity_and_a_way_to_mend_it() -> None:
    names = [rule["alert"] for rule in rules()]
    severities = {rule["labels"]["severity"] for rule in rules()}  # type: ignore[index]
    silent = [
        rule["alert"]
        for rule in rules()
        if set(rule["annotations"]) != {"summary", "mend"}  # type: ignore[call-overload]
    ]

    assert len(names) == len(set(names))
    assert severities == {"page", "morning"}
    assert silent == []


def test_parentheses_and_quotes_of_every_expression_close() -> None:
    for rule in rules():
        bare = re.sub(r'"[^"]*"', "", str(rule["expr"]))

        assert '"' not in bare
        assert [bare.count(sign) for sign in "([{"] == [bare.count(sign) for sign in ")]}"]
