"""1,000 certificates, over the bare typst call for the same page; signing is told apart."""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from tests.certificate_samples import CONTENT, NOW, sample_keys
from webinar.documents import certificate
from webinar.documents.archive_pdf import archive_pdf
from webinar.documents.certificate import certificate_pdf
from webinar.documents.signing import signed_pdf
from webinar.domain.certificate import CertificateContent

CERTIFICATES = 1_000
# The bare call is measured at every tenth: it takes as long as all of the rest.
EVERY = 10
TARGET = 2.0


def contents() -> list[CertificateContent]:
    """One for each person, with a number of its own."""
    return [
        replace(
            CONTENT,
            number=f"WCS-0000-0000-{number:04d}",
            person_name=f"Dr. Ελένη Šimić {number}",
            verify_url=f"https://webinar.example/verify/WCS-0000-0000-{number:04d}",
        )
        for number in range(CERTIFICATES)
    ]


def cpu_of(work: Callable[[], bytes]) -> tuple[float, bytes]:
    """CPU milliseconds of it, and the paper."""
    began = time.process_time()
    paper = work()
    return (time.process_time() - began) * 1000, paper


def main() -> int:
    key = sample_keys().current(now=NOW)
    bare: list[float] = []
    setting: list[float] = []
    signing: list[float] = []
    early = 0
    for number, content in enumerate(contents()):
        spent, pdf = cpu_of(lambda: certificate_pdf(content))  # noqa: B023 - used at once
        setting.append(spent)
        if number % EVERY == 0:
            words = certificate._words(content, None)
            bare.append(cpu_of(lambda: _bare(words))[0])  # noqa: B023
            signing.append(
                cpu_of(lambda: signed_pdf(pdf, key, reason="Certificate", now=NOW))[0]  # noqa: B023
            )
        if number == CERTIFICATES // 10:
            early = _peak_mb()
    over = statistics.median(setting) / statistics.median(bare)
    sys.stdout.write(
        "| step | over the bare typst call | CPU, ms a certificate, median (lowest to highest) |\n"
        "| --- | --- | --- |\n"
        f"| typst alone | **1.00** | {_words(bare)} |\n"
        f"| certificate | **{over:.2f}** | {_words(setting)} |\n"
        f"| its signature | {statistics.median(signing) / statistics.median(bare):.2f} "
        f"| {_words(signing)} |\n\n"
        f"{CERTIFICATES:,} certificates. Memory at most {early} MB after a tenth, {_peak_mb()} MB "
        f"after all. Target: {TARGET} without the signature.\n"
    )
    return 0


def _bare(words: dict[str, object]) -> bytes:
    """The same page from the same words, which were put together before."""
    return archive_pdf("certificate.typ", "certificate", words, otherwise="")


def _words(figures: list[float]) -> str:
    return f"{statistics.median(figures):.1f} ({min(figures):.1f} to {max(figures):.1f})"


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
