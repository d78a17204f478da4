"""Words as they are searched."""

import pytest

from webinar.domain.findable import folded, words_of, words_sought


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Prof. Jürgen Müller-Lüdenscheidt", ["prof", "jurgen", "muller", "ludenscheidt"]),
        ("Straße", ["strasse"]),
        ("Łukasz Wiśniewski, Gdańsk", ["lukasz", "wisniewski", "gdansk"]),
        ("Élodie Lefèvre d'Hôpital, cœur", ["elodie", "lefevre", "d", "hopital", "coeur"]),
        ("Νίκος Παπαδόπουλος", ["νικοσ", "παπαδοπουλοσ"]),
        ("HER2-positive, stage ⅡB", ["her2", "positive", "stage", "iib"]),
        ("Ørsted & Þór İstanbul", ["orsted", "thor", "istanbul"]),
        ("snake_case", ["snake", "case"]),
        ("🎉 — … \x00", []),
    ],
)
def test_words_are_letters_and_digits_without_accents(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_each_word_is_kept_once() -> None:
    assert folded("Breast cancer", "Cancer of the breast") == "breast cancer of the"


def test_a_question_of_any_length_is_a_few_short_words() -> None:
    sought = words_sought("a" * 10_000) + words_sought(" ".join(map(str, range(3000))))

    assert len(sought) == 13
    assert max(len(word) for word in sought) == 60
