"""Who answers for certificates: bound once at the start, as the database is."""

from webinar.domain.certificate_paper import Issuer


class _Bound:
    issuer = Issuer()


def bind(issuer: Issuer) -> None:
    """From here on certificates name this issuer; what was issued before stays as it is."""
    _Bound.issuer = issuer


def bound() -> Issuer:
    """The issuer that certificates name."""
    return _Bound.issuer
