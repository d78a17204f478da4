"""The outward tools that jobs work with, made once when the clock starts."""

from dataclasses import dataclass

from config import Config
from webinar.mail.compose import Composer
from webinar.mail.transport import Transport, transport_for
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool, mail_composer


@dataclass(frozen=True)
class Toolbox:
    """Settings, and the tools made from them."""

    config: Config
    composer: Composer
    transport: Transport
    calendar: CalendarTool

    @classmethod
    def from_config(cls, config: Config) -> "Toolbox":
        """The tools these settings ask for."""
        return cls(
            config=config,
            composer=mail_composer(config),
            transport=transport_for(
                config.SMTP_URL, config.DATA_DIR / "outbox", per_minute=config.MAIL_PER_MINUTE
            ),
            calendar=calendar_tool(config),
        )
