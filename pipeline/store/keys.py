"""What the install key is for: marks of addresses that name nobody, and stamps that only this installation makes."""

from __future__ import annotations

import hashlib
import hmac
import re


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

    def ticket(self, address: str) -> str:
        """What ends the follow-ups to an address for who shows it: its mark and a signature, 64 hex digits. It names nobody."""
        mark = self.mark(address)
        return mark + self._hmac("ticket", mark)

    def opened(self, ticket: str) -> str | None:
        """The mark of the address that a ticket was made for, or None when it was not made here."""
        if not re.fullmatch("[0-9a-f]{64}", ticket, re.ASCII):
            return None
        mark, signature = ticket[:32], ticket[32:]
        return mark if hmac.compare_digest(signature, self._hmac("ticket", mark)) else None

    def _hmac(self, purpose: str, value: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()[:32]
