"""Who is asking, for limits: the client's address as seen from behind trusted proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fastapi import Request

IPV6_PREFIX = 64
"""An IPv6 customer has a whole network of this size; it counts as one."""


def client_key(request: Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The address that requests are counted by; ``unknown`` is one client, too.

    Of ``X-Forwarded-For`` the last entry that no trusted proxy added counts, and only if the
    connection itself comes from such a proxy.
    """
    hops = [request.client.host if request.client else ""]
    hops += reversed(request.headers.get("x-forwarded-for", "").split(","))
    address: IPv4Address | IPv6Address | None = None
    for hop in hops:
        try:
            address = _plain(hop.strip())
        except ValueError:
            break
        if not any(address in network for network in trusted):
            break
    if address is None:
        return "unknown"
    if address.version == 6:
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def _plain(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    if address.version == 6 and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
