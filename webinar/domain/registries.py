"""The lists that leave for accreditors and registries."""

from enum import StrEnum


class RegistryKind(StrEnum):
    """Which list it is; each has rules of its own."""

    EIV = "eiv"
    PARS_ACTIVITY = "pars_activity"
    PARS_LEARNERS = "pars_learners"
    ESMO_MORA = "esmo_mora"
