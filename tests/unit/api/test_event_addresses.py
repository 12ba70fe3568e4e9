"""Which addresses events are posted to: never into a network that nobody named."""

from ipaddress import ip_address, ip_network

import pytest

from api.merchant_events.addresses import (
    AddressRefused,
    GuardedSockets,
    UrlRefused,
    is_allowed,
    require_url,
)

OWN = [ip_network("10.1.0.0/16")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep a machine's credentials
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",  # 127.0.0.1 behind NAT64
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",  # 127.0.0.1 by 6to4
        "2001:0:4136:e378:8000:63bf:80ff:fffe",  # 127.0.0.1 by Teredo
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(ip_address(address), [])
    with pytest.raises(AddressRefused):
        GuardedSockets([])((2, 1, 6, "", (address, 443)))


@pytest.mark.parametrize(
    "address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(ip_address(address), [])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("127.0.0.1", False)],
)
def test_a_named_network_is_allowed_and_no_other(address: str, allowed: bool) -> None:
    assert is_allowed(ip_address(address), OWN) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "ftp://shop.example/hook",
        "file:///etc/passwd",
        "shop.example/hook",
        "https://",
        "https://user:secret@shop.example/",
        "https://shop.example/#part",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.1.0.5/hook",
        "https://shop.example:99999/",
        "https://shop.example/" + "x" * 500,
        "",
    ],
)
def test_an_endpoint_is_a_public_address_with_tls(url: str) -> None:
    with pytest.raises(UrlRefused):
        require_url(url, [])


def test_an_endpoint_is_kept_as_it_is_written() -> None:
    assert require_url("https://shop.example:8443/a/hook?x=1", []) == (
        "https://shop.example:8443/a/hook?x=1"
    )


def test_a_named_network_may_go_without_tls() -> None:
    assert require_url("http://10.1.0.5:8080/hook", OWN) == "http://10.1.0.5:8080/hook"
    with pytest.raises(UrlRefused):
        require_url("http://10.2.0.5:8080/hook", OWN)
