"""The gate as a table: what is there, and what it still asks for."""

from dataclasses import replace

import pytest

from webinar.domain.gate import (
    GateFacts,
    ensure_may_go_live,
    ensure_may_publish,
    in_words,
    may_go_live,
    missing_before_publishing,
)
from webinar.domain.session import FacultyPart
from webinar.domain.session_details import NotReady

WHOLE = GateFacts(
    title="Sentinel nodes after neoadjuvant therapy",
    abstract="What we know.",
    objectives="Say when to dissect.",
    parts=frozenset({FacultyPart.PRESENTER}),
    undisclosed=(),
)


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (WHOLE, []),
        (replace(WHOLE, title=""), ["a title"]),
        (replace(WHOLE, title=" To be announced "), ["a title"]),
        (replace(WHOLE, abstract=" \n"), ["an abstract"]),
        (replace(WHOLE, objectives=""), ["learning objectives"]),
        (replace(WHOLE, parts=frozenset()), ["a presenter"]),
        (replace(WHOLE, parts=frozenset({FacultyPart.MODERATOR})), ["a presenter"]),
        (
            replace(WHOLE, undisclosed=("Prof Elena Marchetti", "Dr Jonas Weber")),
            ["the disclosure of Prof Elena Marchetti", "the disclosure of Dr Jonas Weber"],
        ),
        (
            replace(WHOLE, unmitigated=("Prof Elena Marchetti",)),
            ["what is done about the relations of Prof Elena Marchetti"],
        ),
        (
            GateFacts("", "", "", frozenset(), ("Dr Jonas Weber",)),
            [
                "a title",
                "an abstract",
                "learning objectives",
                "a presenter",
                "the disclosure of Dr Jonas Weber",
            ],
        ),
    ],
)
def test_the_gate_names_what_is_missing(facts: GateFacts, missing: list[str]) -> None:
    assert missing_before_publishing(facts) == missing


def test_a_whole_session_may_be_published() -> None:
    ensure_may_publish(WHOLE)


def test_the_gate_refuses_with_one_sentence() -> None:
    facts = replace(WHOLE, abstract="", objectives="", undisclosed=("Dr Jonas Weber",))

    with pytest.raises(NotReady) as refusal:
        ensure_may_publish(facts)

    assert str(refusal.value) == (
        "The session still needs an abstract, learning objectives and "
        "the disclosure of Dr Jonas Weber before people can see it."
    )


def test_a_reason_opens_the_gate() -> None:
    ensure_may_publish(replace(WHOLE, title=""), "The speaker is announced on Monday.")


def test_blanks_are_not_a_reason() -> None:
    with pytest.raises(NotReady):
        ensure_may_publish(replace(WHOLE, title=""), "  ")


def test_with_a_moderator_it_may_go_live() -> None:
    parts = frozenset({FacultyPart.PRESENTER, FacultyPart.MODERATOR})

    ensure_may_go_live(parts)

    assert may_go_live(parts)


def test_without_a_moderator_it_may_not_go_live() -> None:
    with pytest.raises(NotReady) as refusal:
        ensure_may_go_live(frozenset({FacultyPart.PRESENTER, FacultyPart.DISCUSSANT}))

    assert str(refusal.value) == (
        "The session has no moderator, so nobody would read the questions of the audience. "
        "Ask the organiser to name one; then go live."
    )


@pytest.mark.parametrize(
    ("things", "words"),
    [([], ""), (["a title"], "a title"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_is_read_aloud(things: list[str], words: str) -> None:
    assert in_words(things) == words
