"""The form of a series: as typed, and as values with a sentence beside each field that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from webinar.domain.countries import COUNTRIES
from webinar.domain.errors import DomainError
from webinar.domain.series import RuleRow
from webinar.domain.series_notes import MOST_READER_ZONES, USUAL_READER_ZONES
from webinar.domain.timezone import UnknownZone, zone_named, zone_names
from webinar.domain.wording import city_of_zone
from webinar.models import Series
from webinar.services import holidays
from webinar.services.holidays import MOST_COUNTRIES, UnknownCountry
from webinar.services.series import MOST_RULES, ImpossibleWindow, SeriesWords
from webinar.services.societies import BadSlug, NameMissing, SlugTaken
from webinar.web.manage.series_rule_form import TypedRule, day, number, read_rule, wall_time

__all__ = ["Typed", "Values", "day", "field_of", "number", "read_rules", "read_words", "wall_time"]

FEWEST_COUNTRY_FIELDS = 3
# Which field a refusal speaks of.
FIELD_OF: dict[type[DomainError], str] = {
    BadSlug: "slug",
    ImpossibleWindow: "months",
    NameMissing: "name",
    SlugTaken: "slug",
    UnknownCountry: "country-0",
    UnknownZone: "zone",
}


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    name: str = ""
    slug: str = ""
    about: str = ""
    society: str = ""
    society_name: str = ""
    zone: str = "Europe/Zurich"
    months: str = "6"
    readers: tuple[str, ...] = USUAL_READER_ZONES
    countries: tuple[str, ...] = ()
    rules: tuple[TypedRule, ...] = field(default_factory=tuple)

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "Typed":
        """What was sent; a text that was not sent is empty, and so is a rule taken out."""
        return cls(
            name=form.get("name", "").strip(),
            slug=form.get("slug", "").strip(),
            about=form.get("about", "").strip(),
            society=form.get("society", "").strip(),
            society_name=form.get("society_name", "").strip(),
            zone=form.get("zone", "").strip(),
            months=form.get("months", "").strip(),
            readers=_several(form, "reader", MOST_READER_ZONES),
            countries=_several(form, "country", MOST_COUNTRIES),
            rules=rules_from(form),
        )

    @classmethod
    def of_series(cls, series: Series) -> "Typed":
        """What the series says, as it would be typed."""
        return cls(
            name=series.name,
            about=series.about,
            zone=series.zone,
            months=str(series.recording_months),
            readers=tuple(series.reader_zones),
            countries=tuple(COUNTRIES.get(code, code) for code in series.holiday_countries),
        )

    @property
    def reader_fields(self) -> list[str]:
        """The fields for zones of readers, empty ones too."""
        return [*self.readers, *[""] * (MOST_READER_ZONES - len(self.readers))]

    @property
    def country_fields(self) -> list[str]:
        """The fields for countries: always one more than is filled in."""
        empty = max(1, FEWEST_COUNTRY_FIELDS - len(self.countries))
        return [*self.countries, *[""] * empty][:MOST_COUNTRIES]

    def with_another_rule(self, first_day: date) -> "Typed":
        """With one rule more, like the last one."""
        last = self.rules[-1] if self.rules else TypedRule(first_day=first_day.isoformat())
        return replace(self, rules=(*self.rules, last)[:MOST_RULES])


@dataclass(frozen=True)
class Values:
    """The rules understood, and from which day the dates are shown."""

    rules: tuple[RuleRow, ...]
    zone: str

    @property
    def first_day(self) -> date:
        """The first day of all rules."""
        return min(row.first_day for row in self.rules)


def rules_from(form: Mapping[str, str]) -> tuple[TypedRule, ...]:
    """The rules that were sent, but for those marked to be taken out; the last one stays."""
    numbers = [number for number in range(MOST_RULES) if f"rule-{number}-start" in form]
    kept = [number for number in numbers if f"rule-{number}-out" not in form]
    return tuple(TypedRule.from_form(form, number) for number in kept or numbers[:1])


def read_rules(typed: Typed) -> tuple[Values | None, dict[str, str]]:
    """The rules, or for each field that is wrong a sentence."""
    try:
        zone_named(typed.zone)
    except UnknownZone as refusal:
        return None, {"zone": str(refusal)}
    rows: list[RuleRow] = []
    errors: dict[str, str] = {}
    for number_, rule in enumerate(typed.rules):
        row, wrong = read_rule(rule, typed.zone)
        errors |= {f"rule-{number_}-{name}": sentence for name, sentence in wrong.items()}
        if row is not None:
            rows.append(row)
    if errors or not rows:
        return None, errors
    return Values(tuple(rows), typed.zone), {}


def read_words(typed: Typed) -> tuple[SeriesWords | None, dict[str, str]]:
    """Everything but the rules, or for each field that is wrong a sentence."""
    errors: dict[str, str] = {}
    if not typed.name:
        errors["name"] = "Give the series a name."
    months = number(typed.months)
    if months is None:
        errors["months"] = "Give a number of months: 6."
    readers = []
    for number_, words in enumerate(typed.readers):
        zone = _zone_meant(words)
        readers.append(zone)
        if not zone:
            errors[f"reader-{number_}"] = (
                f"There is no time zone called “{words}”. Choose one from the list: Asia/Tokyo."
            )
    countries = []
    for number_, words in enumerate(typed.countries):
        try:
            countries.append(holidays.country_named(words))
        except UnknownCountry as refusal:
            errors[f"country-{number_}"] = str(refusal)
    if errors or months is None:
        return None, errors
    return SeriesWords(typed.name, typed.about, months, tuple(countries), tuple(readers)), {}


def field_of(refusal: DomainError) -> str:
    """The field a refusal belongs beside, or "" for the whole form."""
    return FIELD_OF.get(type(refusal), "")


def _several(form: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    typed = (form.get(f"{name}-{number}", "").strip() for number in range(most))
    return tuple(words for words in typed if words)


def _zone_meant(words: str) -> str:
    """ "Asia/Tokyo" and "tokyo" are the same to a person; "" for none."""
    asked = words.casefold().replace("_", " ")
    for zone in zone_names():
        if asked in (zone.casefold().replace("_", " "), city_of_zone(zone).casefold()):
            return zone
    return ""
