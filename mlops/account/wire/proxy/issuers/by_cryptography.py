"""By the library ``cryptography``: keys are in this process's memory alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.account.wire.proxy.issuers import SUBJECT, Issuer, Terms, serial

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec


def made(terms: Terms) -> Issuer | None:
    try:
        import cryptography  # noqa: F401  # an extra, and slow to load
    except ImportError:
        return None
    return _Library(terms)


class _Library:
    def __init__(self, terms: Terms) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        self._terms = terms
        self._authority_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SUBJECT)])
        self._hash = hashes.SHA256()
        self._pem = serialization.Encoding.PEM
        below = x509.NameConstraints([x509.DNSName(name) for name in terms.below], None)
        built = (
            self._begun(self._authority_key.public_key(), self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(below, critical=True)
        )
        self.authority: bytes = built.sign(self._authority_key, self._hash).public_bytes(self._pem)
        self.key: bytes = self._key.private_bytes(
            self._pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def issue(self, name: str) -> bytes:
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        built = (
            self._begun(self._key.public_key(), x509.Name([]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        )
        return built.sign(self._authority_key, self._hash).public_bytes(self._pem)

    def _begun(self, key: ec.EllipticCurvePublicKey, subject: x509.Name) -> x509.CertificateBuilder:
        from cryptography import x509

        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority_key.public_key())
        return (
            x509.CertificateBuilder(self._name, subject, key, serial())
            .not_valid_before(self._terms.begins)
            .not_valid_after(self._terms.ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(signer, critical=False)
        )


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
