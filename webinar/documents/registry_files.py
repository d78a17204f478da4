"""Lists for registries as files: CSV for each, and XML for PARS. Rows come in as they were kept."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from lxml import etree

from webinar.documents.sheets import CSV_TYPE, as_csv
from webinar.domain.registries import RegistryKind

XML_TYPE = "application/xml; charset=utf-8"
LOM = "http://ltsc.ieee.org/xsd/LOM"
EXTEND = "http://ns.medbiq.org/lom/extend/v1/"
REPORT = "http://ns.medbiq.org/activityreport/v1/"
MEMBER = "http://ns.medbiq.org/member/v1/"
NAME = "http://ns.medbiq.org/name/v1/"
EIV_HEAD = (
    "vnr",
    "efn",
    "teilnahmedatum",
    "punkte_basis_flag",
    "punkte_lernerfolg_flag",
    "meldeart",
)
EIV_OPERATIONS = {"replace": "Vollmeldung", "append": "Nachmeldung", "delete": "Loeschung"}

Rows = Sequence[Sequence[str]]


def registry_csv(kind: RegistryKind, operation: str, columns: Sequence[str], rows: Rows) -> bytes:
    """The list as CSV: for EIV with semicolons and its own names, else with our column heads."""
    if kind is not RegistryKind.EIV:
        return as_csv([columns, *rows])
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(EIV_HEAD)
    # Withdrawing is a report without points: the interface knows no other deletion.
    stays = "0" if operation == "delete" else "1"
    for vnr, efn, day, passed in rows:
        test = "1" if passed == "yes" and operation != "delete" else "0"
        writer.writerow((vnr, efn, day, stays, test, EIV_OPERATIONS[operation]))
    return text.getvalue().encode()


def registry_xml(kind: RegistryKind, rows: Rows, *, provider: str, made_at: datetime) -> bytes:
    """The list in PARS's XML; raises KeyError for a registry without one."""
    root = {
        RegistryKind.PARS_ACTIVITY: _activities,
        RegistryKind.PARS_LEARNERS: _learners,
    }[kind](rows, provider, made_at)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def media_type(file_format: str) -> str:
    """The type a file of this ending is served as."""
    return XML_TYPE if file_format == "xml" else CSV_TYPE


def _activities(rows: Rows, provider: str, made_at: datetime) -> etree._Element:
    root = etree.Element("ACCMEActivities", nsmap={"lom": LOM, "hx": EXTEND})
    for row in rows:
        (number, title, kind, starts, ends, credit, words, held_by, doctors, others, paid, by) = row
        metrics = etree.SubElement(root, "MedicalEducationMetrics")
        described = etree.SubElement(metrics, "ActivityDescription")
        lom = etree.SubElement(described, f"{{{LOM}}}lom")
        general = etree.SubElement(lom, f"{{{LOM}}}general")
        identifier = etree.SubElement(general, f"{{{LOM}}}identifier")
        _text(identifier, f"{{{LOM}}}entry", number)
        for name, value in (("title", title), ("description", words)):
            _text(etree.SubElement(general, f"{{{LOM}}}{name}"), f"{{{LOM}}}string", value)
        education = etree.SubElement(lom, f"{{{EXTEND}}}healthcareEducation")
        _text(education, f"{{{EXTEND}}}accreditedProvider", held_by)
        _text(education, f"{{{EXTEND}}}numberOfCredits", credit)
        _text(education, f"{{{EXTEND}}}releaseDate", starts)
        _text(education, f"{{{EXTEND}}}expirationDate", ends)
        participation = etree.SubElement(metrics, "ParticipationMetrics")
        _text(participation, "PhysicianLearners", doctors)
        _text(participation, "OtherLearners", others)
        more = etree.SubElement(metrics, "XtensibleInfo")
        _text(more, "ActivityType", kind)
        _text(more, "CommercialSupportReceived", paid)
        for supporter in filter(None, by.split("; ")):
            _text(more, "CommercialSupportSource", supporter)
    return root


def _learners(rows: Rows, provider: str, made_at: datetime) -> etree._Element:
    spaces = {"a": REPORT, "m": MEMBER, "n": NAME, "hx": EXTEND}
    root = etree.Element("ACCMELearnerReports", nsmap=spaces)
    reports = etree.SubElement(root, f"{{{REPORT}}}ActivityReports")
    _text(reports, f"{{{REPORT}}}DateTimeCreated", made_at.isoformat(timespec="seconds"))
    for number, given, family, month, day, state, licence, completed, credit in rows:
        report = etree.SubElement(reports, f"{{{REPORT}}}ActivityReport")
        _text(report, f"{{{REPORT}}}ReportingOrganization", provider)
        member = etree.SubElement(report, f"{{{REPORT}}}Member")
        unique = _text(member, f"{{{MEMBER}}}UniqueID", licence)
        unique.set("domain", f"state-licence:{state}")
        name = etree.SubElement(member, f"{{{MEMBER}}}Name")
        _text(name, f"{{{NAME}}}GivenName", given)
        _text(name, f"{{{NAME}}}FamilyName", family)
        born = etree.SubElement(member, f"{{{MEMBER}}}Birth")
        _text(born, f"{{{MEMBER}}}Month", month)
        _text(born, f"{{{MEMBER}}}Day", day)
        activity = etree.SubElement(report, f"{{{REPORT}}}Activity")
        _text(activity, f"{{{REPORT}}}ActivityID", number)
        certificate = etree.SubElement(activity, f"{{{REPORT}}}CreditCertificate")
        received = etree.SubElement(certificate, f"{{{REPORT}}}CreditReceived")
        _text(received, f"{{{EXTEND}}}accreditedProvider", provider)
        _text(received, f"{{{EXTEND}}}numberOfCredits", credit)
        # A date without a time: with one, ACCME converts it from another zone.
        _text(received, f"{{{EXTEND}}}releaseDate", completed)
    return root


def _text(parent: etree._Element, tag: str, value: str) -> etree._Element:
    element = etree.SubElement(parent, tag)
    element.text = value
    return element
