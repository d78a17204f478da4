"""The languages sessions are held in: ISO 639-1 codes and what people call them."""

NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "es": "Spanish",
    "pt": "Portuguese",
    "el": "Greek",
    "ru": "Russian",
}


def name_of(code: str) -> str:
    """The name, or the code where it has none here."""
    return NAMES.get(code, code)
