"""The certificates of one stack: an authority of its own, made once per home, and what it signs at each start.

etcd and kube-apiserver speak TLS with client certificates even on loopback: the other users of the machine are not
invited to read secrets. A user of the Kubernetes API is its certificate's name (CN) and groups (O).
"""

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xnovu_dev.home import Home, private_folder, write_private
from xnovu_dev.ports import HOST

LIFETIME: Final = timedelta(days=3650)
_SKEW: Final = timedelta(hours=1)
SERVICE_ADDRESS: Final = "10.0.0.1"
"""The first address of the service range of `xnovu_dev.kube_apiserver`; nothing routes there."""

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The home's authority and where its files are."""

    folder: Path
    certificate: x509.Certificate
    key: Key

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def pair(self, name: str) -> tuple[Path, Path]:
        """The files of the certificate and the key `name`."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def client_context(self, name: str) -> ssl.SSLContext:
        """For a client that trusts this authority only and shows the certificate `name`."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        certificate, key = self.pair(name)
        context.load_cert_chain(certificate, key)
        return context


def of_home(home: Home) -> Authority:
    """The authority with all certificates in place. They are signed anew at each start; the authority stays."""
    folder = private_folder(home.certificates)
    authority = _authority(folder)
    local = (HOST, SERVICE_ADDRESS)
    _sign(authority, "etcd", "etcd", addresses=local)
    _sign(authority, "kube-apiserver", "kube-apiserver", addresses=local)
    _sign(authority, "admin", "xnovu-admin", groups=("system:masters",))
    _sign(authority, "operator", "xnovu-operator")
    if not (folder / "service-accounts.key").exists():
        accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        write_private(folder / "service-accounts.key", _pem(accounts))
    return authority


def _authority(folder: Path) -> Authority:
    certificate_file, key_file = folder / "ca.crt", folder / "ca.key"
    # The certificate is written last: where it is, the key is whole.
    if certificate_file.exists():
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return Authority(folder, certificate, key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "xnovu local stack")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    write_private(certificate_file, _text(certificate))
    return Authority(folder, certificate, key)


def _sign(
    authority: Authority,
    file: str,
    common_name: str,
    *,
    groups: Sequence[str] = (),
    addresses: Sequence[str] = (),
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    issuer = authority.certificate
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    builder = (
        _builder(x509.Name(attributes), issuer.subject, key.public_key(), datetime.now(UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if addresses:
        names: list[x509.GeneralName] = [x509.DNSName("localhost")]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate_file, key_file = authority.pair(file)
    write_private(key_file, _pem(key))
    write_private(certificate_file, _text(builder.sign(authority.key, hashes.SHA256())))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(int.from_bytes(os.urandom(16), "big"))
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _pem(key: Key | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
