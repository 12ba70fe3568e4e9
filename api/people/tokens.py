"""Random tokens of links, cookies and recovery codes: given away once, kept as hashes."""

import hashlib
import hmac
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits, as letters, digits, ``-`` and ``_``."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hashed(token: str) -> str:
    """A plain hash will do: what a token holds cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_mark(token: str) -> str:
    """What a form sends back to show that it is ours, made for who holds this token."""
    return hmac.new(token.encode(), b"console form", hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
