"""The outward tools that jobs work with, made once when the clock starts."""

from dataclasses import dataclass
from pathlib import Path

from config import Config
from webinar.mail.compose import Composer
from webinar.mail.transport import Transport, transport_for
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool

ROOT = Path(__file__).resolve().parents[2]


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
            composer=Composer(
                ROOT / "templates" / "mail",
                public_url=config.PUBLIC_URL,
                site_name=config.SITE_NAME,
                sender=config.MAIL_FROM,
                home_zone=config.HOME_ZONE,
                secret=config.SECRET_KEY,
                return_address=config.MAIL_RETURN,
            ),
            transport=transport_for(
                config.SMTP_URL, config.DATA_DIR / "outbox", per_minute=config.MAIL_PER_MINUTE
            ),
            calendar=calendar_tool(config),
        )
