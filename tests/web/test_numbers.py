"""Only plain digits are a number, and not too many of them."""

import pytest

from webinar.web.numbers import whole_number


def test_digits_are_a_number() -> None:
    assert [whole_number(text) for text in ("0", "07", "999999999")] == [0, 7, 999_999_999]


@pytest.mark.parametrize("text", ["", " 1", "-1", "1.0", "1e3", "²", "٣", "1234567890"])
def test_anything_else_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_how_many_digits_is_for_the_reader_to_say() -> None:
    assert [whole_number("12345", digits=most) for most in (4, 5)] == [None, 12_345]
