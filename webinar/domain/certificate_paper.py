"""A certificate as it leaves the house: set, signed, and from then on the very same bytes."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Issuer:
    """Who answers for certificates, as they say it; each may be empty."""

    legal_name: str = ""
    signatory: str = ""
    signatory_role: str = ""


@dataclass(frozen=True)
class Paper:
    """The signed PDF and the signed credential of one certificate."""

    pdf: bytes
    badge: str
    """Open Badges 3.0, as a JWT."""
    key_id: str
    """Of the key that signed both."""

    @property
    def sha256(self) -> str:
        """Of the PDF, in hexadecimal."""
        return hashlib.sha256(self.pdf).hexdigest()
