"""Set a page with typst: tagged for readers by ear (PDF/UA-1) and for the archive (PDF/A-2a)."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import typst

from webinar.domain.errors import DomainError

NO_GLYPH = re.compile(r'the text `"(.+?)"` could not be displayed')


class UnprintableText(DomainError):
    """The letters of the paper have no shape for a character, and an archive's PDF no gap."""


def archive_pdf(template: str, kind: str, words: Mapping[str, object], *, otherwise: str) -> bytes:
    """The paper; the same words give the same bytes, and no clock is read.

    `kind` names the paper: its words stand in `sys.inputs` under that name, as JSON. Raises
    UnprintableText, which says `otherwise` to the reader, for writing that the embedded fonts do
    not have (Chinese, emoji).
    """
    try:
        return typst.compile(
            _template(template),
            format="pdf",
            pdf_standards=["ua-1", "a-2a"],
            ignore_system_fonts=True,
            sys_inputs={kind: json.dumps(words, ensure_ascii=False)},
        )
    except typst.TypstError as wrong:
        unprintable = NO_GLYPH.search(str(wrong))
        if unprintable is None:
            raise
        raise UnprintableText(
            f"The {kind} cannot be set with “{unprintable[1]}”. {otherwise}"
        ) from wrong


@cache
def _template(name: str) -> bytes:
    return resources.files("webinar.documents").joinpath(name).read_bytes()
