"""The URL a provider called, which its signature covers, seen from behind a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address


def public_url(
    *,
    scheme: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    peer: str | None,
    trusted_proxies: Sequence[IPv4Network | IPv6Network],
    public_url_setting: str | None,
) -> str:
    """The effective public URL of a request, query included.

    With `public_url_setting` (``https://host[/prefix]``) that is the answer, whatever headers say.
    Else ``X-Forwarded-Proto``, ``-Host``, ``-Port`` and ``-Prefix`` count if, and only if, the
    directly connected `peer` (an IP address) lies in one of `trusted_proxies`; of a list, the last
    value, being the one that this proxy itself added. `scheme`, `path` and `query` (raw, as in the
    ASGI scope) and the Host header are what we were called with.
    """
    tail = f"{path}?{query}" if query else path
    if public_url_setting:
        return public_url_setting.rstrip("/") + tail
    given = {name.lower(): value for name, value in headers.items()}
    host = given.get("host", "")
    if not _trusted(peer, trusted_proxies):
        return f"{scheme}://{host}{tail}"
    scheme = _last(given, "x-forwarded-proto") or scheme
    host = _last(given, "x-forwarded-host") or host
    port = _last(given, "x-forwarded-port")
    if port and ":" not in host.rpartition("]")[2] and port != _default_port(scheme):
        host = f"{host}:{port}"
    prefix = (_last(given, "x-forwarded-prefix") or "").rstrip("/")
    return f"{scheme}://{host}{prefix}{tail}"


def _trusted(peer: str | None, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer or "")
    except ValueError:
        return False
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def _last(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(name, "").rpartition(",")[2].strip() or None


def _default_port(scheme: str) -> str:
    return "443" if scheme == "https" else "80"
