"""Which addresses we post to: public ones and those that the operator names, checked on connecting.

An endpoint's name may lead somewhere else at every look, so the address that is really connected to
is checked, after the name was resolved and before anything is sent.
"""

import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from yarl import URL

URL_CHARACTERS_MAX = 500
Network = IPv4Network | IPv6Network
EVERYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """We do not post there; an OSError, as an address that does not answer is."""


class UrlRefused(ValueError):
    """Not an endpoint's address; the text says why."""


def require_url(given: str, networks: Sequence[Network]) -> str:
    """The address as it is stored.

    Without TLS only where the operator has named networks of their own. Raises UrlRefused.
    """
    try:
        url = URL(given)
        port = url.port
    except ValueError as error:
        raise UrlRefused("is not a web address") from error
    if url.scheme not in ("https", "http") or not url.host or not port:
        raise UrlRefused("has to begin with https:// and name a host")
    if url.scheme == "http" and not networks:
        raise UrlRefused("has to begin with https://")
    if url.user is not None or url.password is not None:
        raise UrlRefused("must not hold a user or password: the signature is the proof")
    if url.fragment:
        raise UrlRefused("must not have a fragment (#)")
    if len(str(url)) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"is longer than {URL_CHARACTERS_MAX} characters")
    try:
        literal = ip_address(url.host)
    except ValueError:
        return str(url)
    if not is_allowed(literal, networks):
        raise UrlRefused("is a private address; name its network in KULANZ_WEBHOOK_NETWORKS")
    return str(url)


def is_allowed(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    """Whether we post to this address: it is public, or in one of these networks.

    An IPv4 address that an IPv6 address carries counts as itself.
    """
    address = _carried(address)
    if any(address in network for network in networks):
        return True
    return address.is_global and not address.is_multicast


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


class GuardedSockets:
    """Makes the sockets of a connection pool, for allowed addresses only."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def __call__(self, found: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for an address as `getaddrinfo` gives it. Raises AddressRefused."""
        family, kind, protocol, _, where = found
        # An IPv6 address may come with its zone: "fe80::1%eth0".
        if not is_allowed(ip_address(str(where[0]).partition("%")[0]), self._networks):
            raise AddressRefused("refused")
        return socket.socket(family, kind, protocol)
