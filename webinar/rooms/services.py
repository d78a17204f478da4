"""The providers this installation is connected to."""

from collections.abc import Iterator
from dataclasses import dataclass

from webinar.domain.errors import DomainError
from webinar.domain.rooms import PROVIDER_NAMES, RoomProvider
from webinar.rooms.address import PlainAddress
from webinar.rooms.bigbluebutton import BigBlueButton
from webinar.rooms.interface import RoomService
from webinar.rooms.zoom import Zoom
from webinar.rooms.zoom_api import ZoomAccount


class NotConnected(DomainError):
    """No settings for this provider."""

    status = 404


@dataclass(frozen=True)
class RoomServices:
    """One service a provider, where its settings are given."""

    services: tuple[RoomService, ...]

    @classmethod
    def of(cls, *, bbb_url: str, bbb_secret: str, zoom: ZoomAccount) -> "RoomServices":
        """Those whose settings are complete; an address needs none."""
        found: list[RoomService] = [PlainAddress()]
        if bbb_url and bbb_secret:
            found.append(BigBlueButton(bbb_url, bbb_secret))
        if zoom.account_id and zoom.client_id and zoom.client_secret and zoom.webhook_secret:
            found.append(Zoom(zoom))
        return cls(tuple(found))

    def __iter__(self) -> Iterator[RoomService]:
        return iter(self.services)

    def of_provider(self, provider: RoomProvider) -> RoomService:
        """Its service; raises NotConnected."""
        for service in self.services:
            if service.provider is provider:
                return service
        raise NotConnected(
            f"{PROVIDER_NAMES[provider]} is not connected here. The administrator does it in the "
            "settings."
        )

    def has(self, provider: RoomProvider) -> bool:
        """True if it is connected."""
        return any(service.provider is provider for service in self.services)
