"""The key store: made on first need by whoever comes first, private, and published for ever."""

import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from webinar.documents.signing_keys import SigningKeys, UnusableKey, key_id_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, 19, 30, tzinfo=UTC)
MAKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from webinar.documents.signing_keys import SigningKeys
sys.stdin.readline()
print(SigningKeys(Path(sys.argv[1]), "Us").current(now=datetime(2026, 11, 26, tzinfo=UTC)).key_id)
"""


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_is_made_on_first_need_and_found_again(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path / "signing", "Us")

    key = keys.current(now=NOW)

    assert SigningKeys(tmp_path / "signing", "Us").current(now=NOW).key_id == key.key_id
    assert key.private.key_size == 3072
    assert key.certificate.not_valid_after_utc > NOW + timedelta(days=29 * 365)
    assert [key_id_of(one) for one in keys.published()] == [key.key_id]


def test_nobody_else_on_the_machine_reads_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "signing"
    SigningKeys(folder, "Us").current(now=NOW)

    assert stat.S_IMODE((folder / "current.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert b"PRIVATE" not in b"".join(f.read_bytes() for f in (folder / "published").iterdir())


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path / "signing")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    ids = {process.communicate(timeout=120)[0].strip() for process in started}

    assert len(ids) == 1
    assert len(SigningKeys(tmp_path / "signing", "Us").published()) == 1
    assert [f.name for f in (tmp_path / "signing").iterdir() if f.name.startswith(".")] == []


def test_a_new_key_takes_over_and_the_former_certificate_stays(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, "Us")
    former = keys.current(now=NOW)

    fresh = keys.rotate(now=NOW)

    assert fresh.key_id != former.key_id
    assert keys.current(now=NOW).key_id == fresh.key_id
    assert {key_id_of(one) for one in keys.published()} == {fresh.key_id, former.key_id}
    assert (tmp_path / "current.pem").read_bytes().count(b"BEGIN PRIVATE KEY") == 1


def test_the_organisations_own_key_signs_where_one_is_given(tmp_path: Path) -> None:
    made = SigningKeys(tmp_path / "theirs", "A hospital").current(now=NOW)
    (tmp_path / "key.pem").write_bytes(pem_of(made.private))
    (tmp_path / "cert.pem").write_bytes(made.certificate.public_bytes(Encoding.PEM))
    keys = SigningKeys(tmp_path / "ours", "Us", tmp_path / "key.pem", tmp_path / "cert.pem")

    key = keys.current(now=NOW)

    assert key.key_id == made.key_id
    assert [key_id_of(one) for one in keys.published()] == [made.key_id]
    assert not (tmp_path / "ours" / "current.pem").exists()
    with pytest.raises(UnusableKey, match="comes from the settings"):
        keys.rotate(now=NOW)


@pytest.mark.parametrize(
    ("private", "words"),
    [
        (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())), "is not RSA with 2048 bits"),
        (lambda: pem_of(rsa.generate_private_key(65537, 1024)), "is not RSA"),  # noqa: S505
        (lambda: pem_of(rsa.generate_private_key(65537, 2048)), "does not belong to the key"),
        (lambda: b"no key at all", "is not a PEM key without password"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_in_words(tmp_path: Path, private, words: str) -> None:
    made = SigningKeys(tmp_path / "theirs", "A hospital").current(now=NOW)
    (tmp_path / "key.pem").write_bytes(private())
    (tmp_path / "cert.pem").write_bytes(made.certificate.public_bytes(Encoding.PEM))
    keys = SigningKeys(tmp_path / "ours", "Us", tmp_path / "key.pem", tmp_path / "cert.pem")

    with pytest.raises(UnusableKey, match=words):
        keys.current(now=NOW)


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, "Us", tmp_path / "gone.pem", tmp_path / "gone.pem")

    with pytest.raises(UnusableKey, match="cannot be read"):
        keys.current(now=NOW)
