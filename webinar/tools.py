"""The outward tools, made from the settings for whoever edges on them: web, jobs, commands."""

from config import Config
from webinar.calendar.events import content_digest, render_event
from webinar.domain.calendar_entry import Audience, SessionEntry
from webinar.media.disk import free_megabytes
from webinar.media.shelf import MediaShelf
from webinar.services.feeds import CalendarTool


def calendar_tool(config: Config) -> CalendarTool:
    """What services need to keep calendars up to date."""
    return CalendarTool(
        public_url=config.PUBLIC_URL,
        calendar_domain=config.CALENDAR_DOMAIN,
        digest=content_digest,
        render=_rendered,
    )


def media_shelf(config: Config) -> MediaShelf:
    """The stores of this installation's media."""
    return MediaShelf.at(
        config.DATA_DIR.resolve(), config.SECRET_KEY, storage_url=config.STORAGE_URL
    )


def disk_is_low(config: Config) -> bool:
    """True if so little room is left that nothing new may begin."""
    return free_megabytes(config.DATA_DIR) < config.LOW_DISK_MEGABYTES


def _rendered(entry: SessionEntry, audience: Audience) -> bytes:
    return render_event(entry, audience=audience)
