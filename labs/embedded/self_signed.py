"""Certificates that a switch signs itself, as EOS does."""

import datetime as dt
import ssl
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """The switch's own certificate, and another to show in its place.

    Attributes:
        context: the server side of TLS, which shows one of them to later clients.
    """

    def __init__(self) -> None:
        self._own = _pem()
        self._shown = b""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.show(another=False)

    @cached_property
    def _another(self) -> bytes:
        return _pem()

    def show(self, *, another: bool) -> None:
        """Show this one from now on."""
        wanted = self._another if another else self._own
        if wanted == self._shown:
            return
        with TemporaryDirectory() as folder:  # the ssl module reads files only
            file = Path(folder) / "eapi.pem"
            file.write_bytes(wanted)
            self.context.load_cert_chain(file)
        self._shown = wanted


def _pem() -> bytes:
    """Return a new key and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self.signed")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
