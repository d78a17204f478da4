"""Whole numbers out of addresses and fields, where anybody may write anything."""


def whole_number(text: str, *, digits: int = 9) -> int | None:
    """The number that plain digits say; None for anything else, and for more digits than that."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
