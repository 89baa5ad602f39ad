"""What people hold in their hands: an authenticator app that reads our secret, and a device with a passkey."""

from __future__ import annotations

import base64
import json
import secrets
import time
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

ORIGIN = "http://localhost"
PRESENT, VERIFIED, MADE = 0x01, 0x04, 0x40


def code_of(secret: str, *, steps: int = 0) -> str:
    """What an app with this secret shows, so many half minutes from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return TOTP(key, 6, hashes.SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Device:
    """A device that keeps one passkey, as browsers speak for it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.count = 0
        self.site = sha256(b"localhost").digest()

    def create(self, options: dict, *, origin: str = ORIGIN, flags: int = PRESENT | VERIFIED | MADE) -> str:
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        made = AuthenticatorData.create(self.site, flags, self.count, credential)
        data = CollectedClientData.create("webauthn.create", options["publicKey"]["challenge"], origin)
        return self._answer(
            data, attestationObject=text(AttestationObject.create("none", made, {})), transports=["internal"]
        )

    def prove(self, options: dict, *, origin: str = ORIGIN, flags: int = PRESENT | VERIFIED, count: int = 1) -> str:
        self.count += count
        made = AuthenticatorData.create(self.site, flags, self.count)
        data = CollectedClientData.create("webauthn.get", options["publicKey"]["challenge"], origin)
        signature = self.key.sign(made + data.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(data, authenticatorData=text(made), signature=text(signature))

    def _answer(self, data: CollectedClientData, **response: object) -> str:
        answer = {"clientDataJSON": text(data)} | response
        return json.dumps(
            {
                "id": text(self.id),
                "rawId": text(self.id),
                "type": "public-key",
                "response": answer,
                "clientExtensionResults": {},
            }
        )
