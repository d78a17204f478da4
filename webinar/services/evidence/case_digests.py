"""What the chain vouches for when a case is put right: incidents and corrections as stored."""

from webinar.db import DbSession
from webinar.domain.evidence_chain import digest_of
from webinar.models import CreditCorrection, Incident


def of_incident(incident: Incident) -> str:
    """Of an outage, standing or withdrawn."""
    return digest_of(
        {
            "id": incident.id,
            "session": incident.session_id,
            "starts_at": incident.starts_at,
            "ends_at": incident.ends_at,
            "what": incident.what,
            "declared_by": incident.declared_by_id,
            "declared_at": incident.declared_at,
            "withdrawn_by": incident.withdrawn_by_id,
            "withdrawn_at": incident.withdrawn_at,
            "withdrawn_reason": incident.withdrawn_reason,
        }
    )


def of_correction(correction: CreditCorrection) -> str:
    """Of a correction as it was approved."""
    return digest_of(
        {
            "id": correction.id,
            "session": correction.session_id,
            "person": correction.user_id,
            "mode": correction.mode,
            "kind": correction.kind,
            "from_second": correction.from_second,
            "to_second": correction.to_second,
            "until": correction.until,
            "reason": correction.reason,
            "appeal": correction.appeal_id,
            "state": correction.state,
            "proposed_by": correction.proposed_by_id,
            "proposed_at": correction.proposed_at,
            "decided_by": correction.decided_by_id,
            "decided_at": correction.decided_at,
            "answer": correction.answer,
        }
    )


def stored_incident(db: DbSession, subject: str) -> str | None:
    """Of the row as it is now; None if there is none."""
    incident = db.get(Incident, int(subject), populate_existing=True)
    return None if incident is None else of_incident(incident)


def stored_correction(db: DbSession, subject: str) -> str | None:
    """Of the row as it is now; None if there is none."""
    correction = db.get(CreditCorrection, int(subject), populate_existing=True)
    return None if correction is None else of_correction(correction)
