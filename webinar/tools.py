"""The outward tools, made from the settings for whoever edges on them: web, jobs, commands."""

from functools import lru_cache
from pathlib import Path

from config import Config
from webinar.calendar.events import content_digest, render_event
from webinar.documents.certificate_press import CertificatePress
from webinar.documents.signing_keys import SigningKeys
from webinar.domain.calendar_entry import Audience, SessionEntry
from webinar.domain.letter import MailKind
from webinar.mail.compose import Composer, Parts
from webinar.mail.samples import NOW as SAMPLED_AT
from webinar.mail.samples import sample_letter
from webinar.media.disk import free_megabytes
from webinar.media.sealed_text import SealedText
from webinar.media.shelf import MediaShelf
from webinar.rooms.services import RoomServices
from webinar.rooms.zoom_api import ZoomAccount
from webinar.services import service_state
from webinar.services.feeds import CalendarTool

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "migrations" / "versions"


def calendar_tool(config: Config) -> CalendarTool:
    """What services need to keep calendars up to date."""
    return CalendarTool(
        public_url=config.PUBLIC_URL,
        calendar_domain=config.CALENDAR_DOMAIN,
        digest=content_digest,
        render=_rendered,
    )


def mail_composer(config: Config) -> Composer:
    """What turns letters into messages."""
    return Composer(
        ROOT / "templates" / "mail",
        public_url=config.PUBLIC_URL,
        site_name=config.SITE_NAME,
        sender=config.MAIL_FROM,
        home_zone=config.HOME_ZONE,
        secret=config.SECRET_KEY,
        return_address=config.MAIL_RETURN,
    )


def mail_preview(config: Config, kind: MailKind, *, zone: str) -> Parts:
    """A mail of this kind in words, to an invented reader in this zone."""
    return mail_composer(config).parts(sample_letter(kind, zone=zone), now=SAMPLED_AT)


def signing_keys(config: Config) -> SigningKeys:
    """The keys that sign certificates."""
    return SigningKeys(
        folder=config.DATA_DIR.resolve() / "signing",
        name=config.LEGAL_NAME or config.SITE_NAME,
        key_file=Path(config.SIGNING_KEY) if config.SIGNING_KEY else None,
        certificate_file=Path(config.SIGNING_CERTIFICATE) if config.SIGNING_CERTIFICATE else None,
    )


def certificate_press(config: Config) -> CertificatePress:
    """What sets and signs certificates."""
    return CertificatePress(keys=signing_keys(config), public_url=config.PUBLIC_URL)


def media_shelf(config: Config) -> MediaShelf:
    """The stores of this installation's media."""
    return MediaShelf.at(
        config.DATA_DIR.resolve(), config.SECRET_KEY, storage_url=config.STORAGE_URL
    )


def disk_is_low(config: Config) -> bool:
    """True if so little room is left that nothing new may begin."""
    return free_megabytes(config.DATA_DIR) < config.LOW_DISK_MEGABYTES


def service_settings(config: Config) -> service_state.Settings:
    """What the settings and the disk say of the service, for the rules of its health."""
    return service_state.Settings(
        needs_workers=config.ENGINE == "procrastinate",
        takes_backups=bool(config.BACKUP_DIR),
        takes_keys_backups=bool(config.KEYS_BACKUP_DIR),
        free_megabytes=free_megabytes(config.DATA_DIR),
        low_megabytes=config.LOW_DISK_MEGABYTES,
    )


@lru_cache(maxsize=1)
def newest_schema() -> str:
    """The revision of the schema that this program was written for: its files are numbered."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))


@lru_cache(maxsize=8)
def room_services(config: Config) -> RoomServices:
    """The providers of rooms that are connected; kept, for Zoom's token lasts an hour."""
    return RoomServices.of(
        bbb_url=config.BBB_URL,
        bbb_secret=config.BBB_SECRET,
        zoom=ZoomAccount(
            url=config.ZOOM_URL,
            account_id=config.ZOOM_ACCOUNT_ID,
            client_id=config.ZOOM_CLIENT_ID,
            client_secret=config.ZOOM_CLIENT_SECRET,
            webhook_secret=config.ZOOM_WEBHOOK_SECRET,
        ),
    )


def sealed_text(config: Config) -> SealedText:
    """What seals short secrets in the database."""
    return SealedText(config.SECRET_KEY)


def _rendered(entry: SessionEntry, audience: Audience) -> bytes:
    return render_event(entry, audience=audience)
