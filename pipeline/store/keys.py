"""What the install key is for: marks of addresses that name nobody, and stamps that only this installation makes."""

from __future__ import annotations

import hashlib
import hmac


class Keys:
    """Holds the secret that was made when the store was."""

    def __init__(self, secret: str) -> None:
        self._secret = bytes.fromhex(secret)

    def mark(self, address: str) -> str:
        """A stable pseudonym of an address: 32 hex digits, the same for every spelling of its case."""
        return self._hmac("address", address.lower())

    def stamp(self, key: str) -> str:
        """The left part of the Message-ID of a send: 32 hex digits made from its key."""
        return self._hmac("send", key)

    def _hmac(self, purpose: str, value: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()[:32]
