"""A certificate of the test's own for sites that do not exist, and the pin that makes a browser take it."""

import base64
import datetime
import hashlib
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificate:
    """Self-signed, valid today, for ``hosts``; its two files are written into ``folder``."""

    def __init__(self, hosts: Sequence[str], folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test of Tollbridge")])
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - day)
        certificate = builder.not_valid_after(now + day).add_extension(names, critical=False).sign(key, hashes.SHA256())
        encoding = serialization.Encoding
        pem = certificate.public_bytes(encoding.PEM)
        private = key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / "certificate.pem").write_bytes(pem)
        (folder / "key.pem").write_bytes(private)
        public = key.public_key().public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.pin = base64.b64encode(hashlib.sha256(public).digest()).decode()
        """The SHA-256 of its public key, as Chromium's --ignore-certificate-errors-spki-list takes it."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
