"""Text as it is searched: no accents, no capitals, words of letters and digits alone.

Both databases are given the same words and asked for the same words, so that neither's own idea of
a word, of an accent or of an operator decides what is found.
"""

import re
import unicodedata

LONGEST_WORD = 60
MOST_WORDS_SOUGHT = 12
# A question longer than this is a paste by mistake; its beginning is what is meant.
LONGEST_QUESTION = 600

WORD = re.compile(r"[^\W_]+")
# Letters of their own, which Unicode does not take apart into a plain one and a mark.
PLAIN = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ŋ": "n",
    }
)


def words_of(text: str) -> list[str]:
    """Every word of the text in order, folded: "Prof. Müller-Łoś" is prof, muller, los."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    # Taking apart may give capitals again (the sign for trade mark), and casefold marks.
    return [word[:LONGEST_WORD] for word in WORD.findall(bare.casefold().translate(PLAIN))]


def folded(*texts: str) -> str:
    """The words of all the texts, each once, with one blank between them."""
    return " ".join(dict.fromkeys(word for text in texts for word in words_of(text)))


def words_sought(question: str) -> list[str]:
    """The words somebody looks for; nothing of it is an operator, whatever was typed."""
    return list(dict.fromkeys(words_of(question[:LONGEST_QUESTION])))[:MOST_WORDS_SOUGHT]
