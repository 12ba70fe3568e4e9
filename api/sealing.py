"""Secrets as they are stored: encrypted with a key made from the service's secret key."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache

from cryptography.fernet import Fernet


@lru_cache(maxsize=8)  # the derivation is slow on purpose
def _cipher(secret_key: str, purpose: str) -> Fernet:
    key = hashlib.scrypt(secret_key.encode(), salt=f"kulanz {purpose}".encode(), n=2**14, r=8, p=1)
    return Fernet(base64.urlsafe_b64encode(key[:32]))


def seal(secret_key: str, purpose: str, values: Mapping[str, str]) -> bytes:
    """Encrypt for storing; what is sealed for one purpose cannot be read as another."""
    return _cipher(secret_key, purpose).encrypt(json.dumps(dict(values)).encode())


def unseal(secret_key: str, purpose: str, stored: bytes) -> dict[str, str]:
    """What was sealed.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed with another key or for another purpose.
    """
    given: dict[str, str] = json.loads(_cipher(secret_key, purpose).decrypt(stored))
    return given
