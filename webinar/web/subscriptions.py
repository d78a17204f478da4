"""A feed's addresses, as people copy or open them."""

from dataclasses import dataclass

from flask import current_app, url_for


@dataclass(frozen=True)
class Subscription:
    """One feed: `copy` for Google and Outlook, `open` for one click on this device."""

    name: str
    copy: str
    open: str


def subscription(name: str, endpoint: str, *, slug: str = "") -> Subscription:
    """The addresses of a feed under the site's public name."""
    public_url = str(current_app.config["PUBLIC_URL"])
    path = url_for(endpoint, slug=slug) if slug else url_for(endpoint)
    host = public_url.partition("://")[2]
    return Subscription(name, f"{public_url}{path}", f"webcal://{host}{path}")
