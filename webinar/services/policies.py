"""The credit policies the product comes with, read from the data beside this module."""

import json
from importlib import resources

from webinar.domain.policy import CreditPolicy

SEED_VERSION = 1


def seed_policies() -> dict[str, CreditPolicy]:
    """All shipped policies by name, version 1."""
    text = resources.files("webinar.services").joinpath("seeds/credit_policies.json").read_text()
    return {
        name: CreditPolicy.from_data(name, SEED_VERSION, data)
        for name, data in json.loads(text).items()
        if name != "_note"
    }
