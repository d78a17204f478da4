"""Sign a PDF (PAdES, ETSI EN 319 142-1, level B-B) so that it stays PDF/A-2a and PDF/UA-1.

The home of pyHanko. The signature is a field without extent, tagged as a form field with words
for readers by ear, because an untagged one would break PDF/UA (7.18.1 and 7.18.4), and a hidden
one PDF/A (ISO 19005-2, 6.3.2).
"""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    TextStringObject,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import (
    InvisSigSettings,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner, PdfSigningSession
from pyhanko_certvalidator.registry import SimpleCertificateStore

from webinar.documents.signing_keys import SigningKey

FIELD = "Signature"
# Room for the signature beside its certificates, in bytes; it is written as hexadecimal.
SPARE_BYTES = 2048


def signed_pdf(pdf: bytes, key: SigningKey, *, reason: str, now: datetime) -> bytes:
    """The PDF with one signature over all of it; `now` is the time the signature claims."""
    writer = _MetadataKept(io.BytesIO(pdf))
    name = signer_name(key)
    append_signature_field(
        writer,
        SigFieldSpec(
            FIELD,
            readable_field_name=f"Digital signature of {name}",
            invis_sig_settings=InvisSigSettings(set_print_flag=True, set_hidden_flag=False),
        ),
    )
    _tag_field(writer, f"Digital signature of {name}")
    pdf_signer = _TimedSigner(
        PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            reason=reason,
            name=name,
            subfilter=SigSeedSubFilter.PADES,
        ),
        _RsaSigner(key),
        now,
    )
    certificates = (key.certificate, *key.chain)
    room = SPARE_BYTES + sum(len(one.public_bytes(Encoding.DER)) for one in certificates)
    out = io.BytesIO()
    # pyHanko runs a loop of its own, which a thread that runs one already does not allow.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(
            pdf_signer.sign_pdf,
            writer,
            existing_fields_only=True,
            bytes_reserved=2 * room,
            output=out,
        ).result()
    return out.getvalue()


def signer_name(key: SigningKey) -> str:
    """Who signs, as the key's certificate says."""
    subject = key.certificate.subject
    found = subject.get_attributes_for_oid(NameOID.COMMON_NAME) or subject.get_attributes_for_oid(
        NameOID.ORGANIZATION_NAME
    )
    return str(found[0].value) if found else "the organiser"


class _MetadataKept(IncrementalPdfFileWriter):
    """Leaves the metadata as typst wrote it: rewritten, it claims PDF/A and is not."""

    def _update_meta(self) -> None:
        return


class _TimedSigner(PdfSigner):
    """Claims the time it is given, not the one it reads."""

    def __init__(self, meta: PdfSignatureMetadata, signer: Signer, now: datetime) -> None:
        super().__init__(meta, signer)
        self._now = now

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._now
        return session


class _RsaSigner(Signer):
    """RSA with SHA-256 (PKCS #1, version 1.5): the signature that every reader understands."""

    def __init__(self, key: SigningKey) -> None:
        certificates = [
            asn1.Certificate.load(one.public_bytes(Encoding.DER))
            for one in (key.certificate, *key.chain)
        ]
        store = SimpleCertificateStore()
        store.register_multiple(certificates[1:])
        self._private = key.private
        super().__init__(signing_cert=certificates[0], cert_registry=store)

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        if digest_algorithm != "sha256":
            raise ValueError(f"signs with SHA-256, not with {digest_algorithm}")
        return self._private.sign(data, PKCS1v15(), SHA256())


def _tag_field(writer: IncrementalPdfFileWriter, words: str) -> None:
    """Hang the field's widget into the structure tree, as a form field of the document."""
    root = writer.root
    field = root["/AcroForm"].raw_get("/Fields").raw_get(0)
    page = root["/Pages"]["/Kids"].raw_get(0)
    tree = root["/StructTreeRoot"]
    document = tree["/K"][0]
    number = int(tree["/ParentTreeNextKey"])
    element = writer.add_object(
        DictionaryObject(
            {
                NameObject("/Type"): NameObject("/StructElem"),
                NameObject("/S"): NameObject("/Form"),
                NameObject("/P"): _reference(tree["/K"].raw_get(0)),
                NameObject("/Pg"): page,
                NameObject("/Alt"): TextStringObject(words),
                NameObject("/K"): DictionaryObject(
                    {
                        NameObject("/Type"): NameObject("/OBJR"),
                        NameObject("/Obj"): field,
                        NameObject("/Pg"): page,
                    }
                ),
            }
        )
    )
    document["/K"].append(element)
    tree["/ParentTree"]["/Nums"] += ArrayObject([NumberObject(number), element])
    tree[NameObject("/ParentTreeNextKey")] = NumberObject(number + 1)
    widget = field.get_object()
    widget[NameObject("/StructParent")] = NumberObject(number)
    for changed in (document["/K"], tree["/ParentTree"]["/Nums"], tree, widget):
        writer.update_container(changed)


def _reference(entry: object) -> IndirectObject:
    if not isinstance(entry, IndirectObject):
        raise ValueError("the document of the structure tree has no number of its own")
    return entry
