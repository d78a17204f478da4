"""Every column that names or points to a person says what becomes of it; a new one is asked."""

from sqlalchemy import JSON, Enum, LargeBinary, String

from webinar.db import Base
from webinar.services import erasure
from webinar.services.forgettable import references_to_people
from webinar.services.personal_data import POINTING, SECRETS, WORDS, Fate

# Text, documents and bytes that name nobody. A new column belongs here, or in `personal_data`.
NOT_ABOUT_PEOPLE = {
    "accreditation_grant": "reference edition statement_applied statement_granted",
    "accreditor": "slug name short_name unit application_terms",
    "attendance_import": "source digest",
    "attention_check": "id",
    "audience_group": "slug name",
    "audit_event": "action previous_hash hash",
    "auditor_door": "token_hash session_ids",
    "auspices": "reference",
    "backup_run": "kind file digest error",
    "broadcast": "public_id problem lease_owner",
    "broadcast_take": "client_key",
    "certificate": "number content_digest decision_ids superseded_by revoke_reason",
    "certificate_paper": "sha256 key_id",
    "credit_decision": "next_step inputs_hash evidence_hash",
    "credit_policy": "name data note",
    "destruction": "number",
    "evaluation_answers": "id answers",
    "evidence_chain": "head",
    "evidence_link": "subject digest previous_hash hash",
    "external_room": "public_id address remote_id facts sealed problem",
    "faculty_file": "kind media_type sha256 storage_key",
    "feed_state": "key etag",
    "imported_visit": "meeting",
    "incident": "what withdrawn_reason",
    "media_segment": "iv name sha256",
    "parked_work": "what",
    "planning_rule": "rule",
    "post_event_report": "changes improvements sponsors",
    "recording": "public_id kept",
    "recording_caption": "language label name",
    "recording_chapter": "title",
    "recording_slide": "name words",
    "registry_export": "operation digest",
    "rehearsal": "public_id lease_owner",
    "retention_run": "kind",
    "room_notice": "digest kind problem",
    "room_visit": "source remote_event",
    "season_change": "summary",
    "series": "slug name about zone holiday_countries reader_zones",
    "series_exception": "reason",
    "session": "public_id title abstract objectives language level zone cancellation_reason "
    "override_reason rehearsal_note ical_uid ical_digest",
    "society": "slug name short_name about country",
    "stream_key": "name secret_hash nonce client_id problem lease_owner",
    "test_item": "text options comment hint",
    "tick_run": "name owner",
    "topic": "slug name",
    "upload": "public_id file_name found problem lease_owner",
    "viewing_pass": "id",
    "working_process": "owner role host release",
}
# Tables whose rows are deleted as a whole with the account: nothing in them is left to ask about.
ROWS_THAT_GO = {place.table for place in POINTING if place.fate is Fate.DELETED} | {
    "registration",
    "faculty_link",
}


def test_every_column_that_points_to_a_person_has_a_fate() -> None:
    stored = {(table.name, column.name) for table, column in references_to_people()}
    told = [(place.table, place.column) for place in POINTING]

    assert sorted(told) == sorted(stored)


def test_every_text_document_and_file_is_about_a_person_or_is_not() -> None:
    stored = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | JSON | LargeBinary)
        and not isinstance(column.type, Enum)
        and not column.foreign_keys
        and table.name not in ROWS_THAT_GO
    }
    not_about_people = {
        (table, column) for table, columns in NOT_ABOUT_PEOPLE.items() for column in columns.split()
    }
    told = {(place.table, place.column) for place in WORDS if place.table not in ROWS_THAT_GO}

    assert told & not_about_people == set()
    assert told | not_about_people == stored


def test_what_is_kept_says_why() -> None:
    silent = [place for place in (*POINTING, *WORDS) if place.fate is Fate.KEPT and not place.why]

    assert silent == []


def test_the_rows_that_go_are_the_ones_erasing_deletes() -> None:
    told = {place.table for place in POINTING if place.fate is Fate.DELETED}

    # Roles are taken one by one, so that the last administrator's is refused.
    assert told == {table.__tablename__ for table in erasure.DELETED} | {"user_role"}


def test_what_is_secret_or_emptied_is_a_column() -> None:
    stored = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
    }

    assert set(SECRETS) | {(place.table, place.column) for place in WORDS} <= stored
