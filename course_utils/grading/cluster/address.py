"""Which schedulers a lab may be sent to: hidden tests travel with it, so only where nobody can
listen or answer in another's name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from course_utils.ground.errors import ClusterError


def check_scheduler(address: str, *, insecure: bool) -> None:
    """Whether a class may be graded through a scheduler.

    Args:
        address: as a person has given it.
        insecure: whether a connection that is not encrypted was asked for by name.

    Raises:
        ClusterError: it may not, and why.
    """
    scheme = urlsplit(address).scheme
    if scheme not in ("tls", "tcp"):
        raise ClusterError(
            f"--scheduler takes tls://HOST:PORT, or tcp://HOST:PORT on this machine; {address!r} "
            "is neither"
        )
    if not (insecure or is_private(address)):
        raise ClusterError(
            f"{address} is not encrypted: anybody on the way could read the lab's hidden tests and "
            "change marks, and anybody who reaches the scheduler could run programs on its "
            "workers. Give them certificates and say tls:// (docs/cluster.md), or "
            "--scheduler-insecure if you answer for the network"
        )


def open_to_others(addresses: Iterable[str]) -> list[str]:
    """Of addresses that programs listen at, those that others may reach without encryption."""
    return [address for address in addresses if not is_private(address)]


def is_private(address: str) -> bool:
    """Whether what is sent to an address is encrypted, or does not leave this machine."""
    parts = urlsplit(address)
    if parts.scheme == "tls":
        return True
    host = parts.hostname or ""
    try:
        return parts.scheme == "tcp" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return parts.scheme == "tcp" and host == "localhost"
