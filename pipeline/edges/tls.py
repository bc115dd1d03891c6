"""Say which host may be talked to in the clear, and make every other one prove who it is. Opens nothing."""

from __future__ import annotations

import ipaddress
import ssl


def is_loopback(host: str) -> bool:
    """Whether it is this machine itself, by its number or by the name that every machine has for itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def verifying() -> ssl.SSLContext:
    """TLS that insists on a certificate for the host's own name, and on a version that is still sound."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
