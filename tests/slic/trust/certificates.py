"""A chain of certificates, as a publisher would buy it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
CREATED: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": CAPTURE}


@dataclass(frozen=True)
class Chain:
    root: bytes
    certificates: bytes
    key: bytes

    def write(self, folder: Path, **claim: Any) -> Path:
        """manifest.json with all that it names."""
        (folder / "chain.pem").write_bytes(self.certificates)
        (folder / "root.pem").write_bytes(self.root)
        (folder / "desk.pem").write_bytes(self.key)
        said = {"alg": "es256", "sign_cert": "chain.pem", "private_key": "desk.pem", "title": "A lake"}
        said |= {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}}]} | claim
        path = folder / "manifest.json"
        path.write_text(json.dumps(said))
        return path


def make(organisation: str = "Example Press") -> Chain:
    """A root and, signed by it, the certificate of a photo desk."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = (_name(organisation, who) for who in ("Root", "Photo desk"))
    root = _certificate(root_name, root_key.public_key(), root_name, root_key, authority=True)
    leaf = _certificate(name, key.public_key(), root_name, root_key, authority=False)
    pem = [c.public_bytes(Encoding.PEM) for c in (leaf, root)]
    return Chain(pem[1], b"".join(pem), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(organisation: str, who: str) -> x509.Name:
    parts = {
        NameOID.COUNTRY_NAME: "DE",
        NameOID.ORGANIZATION_NAME: organisation,
        NameOID.COMMON_NAME: who,
    }
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


def _certificate(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    """With the extensions that C2PA's certificate profile asks for."""
    now = datetime.now(timezone.utc)
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(key, hashes.SHA256())
