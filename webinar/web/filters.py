"""The words of the domain as Jinja filters of the pages."""

from collections.abc import Callable

from flask import Flask

from webinar.domain.review import correction_words
from webinar.domain.wording import (
    city_of_zone,
    credit_amount,
    day_month,
    day_number,
    day_words,
    days_left,
    deadline,
    duration_minutes,
    grouped,
    iso_utc,
    local_date,
    local_moment,
    local_time,
    local_time_range,
    long_date,
    media_time,
    month_name,
    month_year,
    percent,
    plural,
    relative,
    same_clock,
    same_date,
    unusual_difference,
    weekday_name,
    zone_abbreviation,
)

FILTERS: tuple[Callable[..., object], ...] = (
    city_of_zone,
    correction_words,
    credit_amount,
    day_month,
    day_number,
    day_words,
    days_left,
    deadline,
    duration_minutes,
    grouped,
    iso_utc,
    local_date,
    local_moment,
    local_time,
    local_time_range,
    long_date,
    media_time,
    month_name,
    month_year,
    percent,
    plural,
    relative,
    same_clock,
    same_date,
    unusual_difference,
    weekday_name,
    zone_abbreviation,
)


def register(app: Flask) -> None:
    """Make every filter known to the templates under its own name."""
    for function in FILTERS:
        app.add_template_filter(function, function.__name__)
