"""The signature of a certificate: sound for other programs, and for no changed bit."""

import io
import random
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from tests.certificate_samples import CONTENT, NOW, URL, sample_keys, sample_paper
from webinar.documents.certificate import certificate_pdf
from webinar.documents.certificate_press import CertificatePress
from webinar.documents.signature_check import BadSignature, check_signature
from webinar.documents.signing_keys import SigningKeys

RECIPE = Path(__file__).parents[2] / "docs" / "certificates.md"


def gap(data: bytes) -> tuple[int, int]:
    """Where the signature itself stands."""
    found = re.search(rb"/ByteRange \[ *0 (\d+) (\d+) \d+ *\]", data)
    assert found is not None
    return int(found[1]), int(found[2])


def is_refused(data: bytes) -> bool:
    try:
        check_signature(data, sample_keys().published())
    except BadSignature:
        return True
    return False


def test_a_sound_file_says_its_number_who_signed_it_and_when() -> None:
    found = check_signature(sample_paper().pdf, sample_keys().published())

    assert found.number == CONTENT.number
    assert found.signed_at == NOW
    assert found.signer == "Demo School of Oncology"
    assert found.key_id == sample_paper().key_id


def test_a_bit_changed_anywhere_is_refused() -> None:
    data = sample_paper().pdf
    start, end = gap(data)
    draw = random.Random(5)  # noqa: S311 -- a sample, no secret
    # Bytes nobody signs stand in the gap alone, so each of those is tried; of the rest a sample.
    places = [*range(start - 40, end + 40), *draw.sample(range(len(data)), 600)]

    unseen = [
        (place, bit)
        for place in places
        for bit in [draw.randrange(8)]
        if not is_refused(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
    ]

    assert unseen == []


def test_the_case_of_a_hexadecimal_letter_is_a_bit_too() -> None:
    data = sample_paper().pdf
    start, end = gap(data)
    letter = next(place for place in range(start, end) if data[place] in b"ABCDEF")

    assert is_refused(data[:letter] + data[letter : letter + 1].lower() + data[letter + 1 :])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (sample_paper().pdf + b"\n", "does not cover this file"),
        (sample_paper().pdf[:-1], "does not cover this file"),
        (b"%" + sample_paper().pdf, "does not cover this file"),
        (certificate_pdf(CONTENT), "This file is not signed"),
        (sample_paper().pdf * 2, "more than one signature"),
        (b"", "This file is not signed"),
    ],
)
def test_what_was_added_or_lost_is_named(changed: bytes, words: str) -> None:
    with pytest.raises(BadSignature, match=words):
        check_signature(changed, sample_keys().published())


def test_another_key_is_not_ours(tmp_path: Path) -> None:
    forger = SigningKeys(tmp_path, "Demo School of Oncology")
    forged = CertificatePress(forger, URL).paper(CONTENT, issued_at=NOW, now=NOW)

    with pytest.raises(BadSignature, match="another key"):
        check_signature(forged.pdf, sample_keys().published())


def test_signing_adds_to_the_paper_and_changes_nothing_of_it() -> None:
    plain = certificate_pdf(CONTENT)

    assert sample_paper().pdf.startswith(plain)
    assert [page.extract_text() for page in PdfReader(io.BytesIO(sample_paper().pdf)).pages] == [
        page.extract_text() for page in PdfReader(io.BytesIO(plain)).pages
    ]


def test_the_signed_file_still_claims_the_archive_and_readers_by_ear() -> None:
    with pikepdf.open(io.BytesIO(sample_paper().pdf)) as pdf, pdf.open_metadata() as metadata:
        claims = {
            name: metadata[name] for name in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")
        }
        information = pdf.docinfo

        assert claims == {"pdfaid:part": "2", "pdfaid:conformance": "A", "pdfuaid:part": "1"}
        assert str(information["/Title"]) == metadata["dc:title"]
        assert "/Producer" not in information  # nothing beside the metadata typst wrote
        assert pdf.pdf_version == "1.7"
        assert pdf.check_pdf_syntax() == []


def test_nothing_in_the_signed_file_is_forbidden_in_an_archive() -> None:
    with pikepdf.open(io.BytesIO(sample_paper().pdf)) as pdf:
        root = pdf.Root
        actions = {str(note.A.S) for page in pdf.pages for note in page.Annots if "/A" in note}
        fonts = [
            thing
            for thing in pdf.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor"
        ]
        filters = {
            str(thing.get("/Filter"))
            for thing in pdf.objects
            if isinstance(thing, pikepdf.Stream) and "/Filter" in thing
        }

        # ISO 19005-2: 6.1.3, 6.1.7, 6.2.3, 6.2.11.4, 6.4.1, 6.5.1, 6.6, 6.8, 6.9.
        assert "/Encrypt" not in pdf.trailer
        assert filters == {"/FlateDecode"}
        assert str(root.OutputIntents[0].S) == "/GTS_PDFA1"
        assert {bool({"/FontFile2", "/FontFile3"} & set(font.keys())) for font in fonts} == {True}
        assert actions == {"/URI"}
        assert not {"/AA", "/OpenAction", "/Names", "/OCProperties"} & set(root.keys())
        assert not {"/XFA", "/NeedAppearances"} & set(root.AcroForm.keys())
        assert root.AcroForm.SigFlags == 3  # signed, and only ever added to


def test_every_annotation_is_tagged_described_and_printed() -> None:
    with pikepdf.open(io.BytesIO(sample_paper().pdf)) as pdf:
        root, page = pdf.Root, pdf.pages[0]
        numbers = list(root.StructTreeRoot.ParentTree.Nums)
        parents = dict(zip(map(int, numbers[::2]), numbers[1::2], strict=True))
        tags = {str(note.Subtype): str(parents[int(note.StructParent)].S) for note in page.Annots}
        field = next(note for note in page.Annots if note.Subtype == "/Widget")
        element = parents[int(field.StructParent)]

        # ISO 14289-1: 7.18.1, 7.18.3, 7.18.4; ISO 19005-2: 6.3.2.
        assert tags == {"/Link": "/Link", "/Widget": "/Form"}
        assert page.Tabs == "/S"
        assert {int(note.F) & 0b100111 for note in page.Annots} == {4}
        assert str(field.TU) == "Digital signature of Demo School of Oncology"
        assert element.K.Obj.objgen == field.objgen
        assert element.P.objgen == root.StructTreeRoot.K[0].objgen
        assert element.objgen in [kid.objgen for kid in element.P.K]
        assert list(parents) == sorted(parents)
        assert int(root.StructTreeRoot.ParentTreeNextKey) == len(parents)


def test_the_signature_is_pades() -> None:
    with pikepdf.open(io.BytesIO(sample_paper().pdf)) as pdf:
        signature = pdf.Root.AcroForm.Fields[0].V

        assert str(signature.SubFilter) == "/ETSI.CAdES.detached"
        assert str(signature.M) == "D:20261126193000Z"
        assert str(signature.Name) == "Demo School of Oncology"


def test_pyhanko_finds_the_signature_valid_trusted_and_over_the_whole_file() -> None:
    [root] = load_certs_from_pemder_data(sample_keys().published_pem())
    [signature] = PdfFileReader(io.BytesIO(sample_paper().pdf)).embedded_signatures

    context = ValidationContext(trust_roots=[root], moment=NOW, allow_fetching=False)
    # In a thread of its own: a browser of another test may run a loop in this one.
    with ThreadPoolExecutor(1) as apart:
        status = apart.submit(validate_pdf_signature, signature, context).result()

    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert status.coverage.name == "ENTIRE_FILE"
    assert status.modification_level is not None
    assert status.modification_level.name == "NONE"


def test_the_recipe_of_the_documentation_works_to_the_letter(tmp_path: Path) -> None:
    script = re.findall(r"```sh\n(.*?)```", RECIPE.read_text(), re.S)[0]
    (tmp_path / "certificate.pdf").write_bytes(sample_paper().pdf)
    (tmp_path / "keys.pem").write_bytes(sample_keys().published_pem())
    shell = shutil.which("sh") or "/bin/sh"

    done = subprocess.run(
        [shell, "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "CMS Verification successful" in done.stderr
    assert "Demo School of Oncology" in done.stdout


@pytest.mark.parametrize("place", [200, -200])
def test_the_recipe_refuses_a_changed_file(tmp_path: Path, place: int) -> None:
    script = re.findall(r"```sh\n(.*?)```", RECIPE.read_text(), re.S)[0]
    data = bytearray(sample_paper().pdf)
    data[place] ^= 1
    (tmp_path / "certificate.pdf").write_bytes(data)
    (tmp_path / "keys.pem").write_bytes(sample_keys().published_pem())

    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0


def test_the_recipe_refuses_what_was_appended(tmp_path: Path) -> None:
    script = re.findall(r"```sh\n(.*?)```", RECIPE.read_text(), re.S)[0]
    (tmp_path / "certificate.pdf").write_bytes(sample_paper().pdf + b"% one line more\n")
    (tmp_path / "keys.pem").write_bytes(sample_keys().published_pem())

    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
