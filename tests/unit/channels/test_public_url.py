from collections.abc import Mapping
from ipaddress import ip_network

import pytest

from channels.public_url import public_url

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1/128")]
INSIDE = {"host": "127.0.0.1:8000"}
FORWARDED = {
    **INSIDE,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "kulanz.example",
}


def url(
    headers: Mapping[str, str],
    *,
    peer: str | None = "10.1.2.3",
    setting: str | None = None,
    query: str = "outbox=8",
) -> str:
    return public_url(
        scheme="http",
        path="/webhooks/twilio/status",
        query=query,
        headers=headers,
        peer=peer,
        trusted_proxies=PROXIES,
        public_url_setting=setting,
    )


TAIL = "/webhooks/twilio/status?outbox=8"
OWN = "http://127.0.0.1:8000" + TAIL
PUBLIC = "https://kulanz.example" + TAIL


def test_without_a_proxy_it_is_what_was_called() -> None:
    assert url(INSIDE) == OWN
    assert url(INSIDE, query="") == OWN.removesuffix("?outbox=8")


def test_a_trusted_proxy_is_believed() -> None:
    assert url(FORWARDED) == PUBLIC


@pytest.mark.parametrize("peer", ["::1", "::ffff:10.1.2.3"])
def test_a_trusted_proxy_in_any_notation(peer: str) -> None:
    assert url(FORWARDED, peer=peer) == PUBLIC


@pytest.mark.parametrize(
    "peer", ["11.1.2.3", "::2", "::ffff:11.1.2.3", None, "", "unix", "testclient"]
)
def test_nobody_else_is(peer: str | None) -> None:
    assert url(FORWARDED, peer=peer) == OWN


def test_the_setting_decides_alone() -> None:
    hostile = {**FORWARDED, "x-forwarded-host": "evil.example"}
    assert url(hostile, setting="https://kulanz.example/") == PUBLIC
    assert url(hostile, setting="https://kulanz.example/de") == ("https://kulanz.example/de" + TAIL)


def test_of_a_list_the_proxys_own_entry_counts() -> None:
    listed = {**FORWARDED, "x-forwarded-host": "evil.example, kulanz.example"}
    assert url(listed) == PUBLIC


@pytest.mark.parametrize(("port", "shown"), [("8443", ":8443"), ("443", ""), ("", "")])
def test_a_port_that_is_not_the_schemes_own_is_named(port: str, shown: str) -> None:
    assert url({**FORWARDED, "x-forwarded-port": port}) == (f"https://kulanz.example{shown}{TAIL}")


def test_a_port_in_the_forwarded_host_stays() -> None:
    headers = {**FORWARDED, "x-forwarded-host": "[::9]:81", "x-forwarded-port": "82"}
    assert url(headers) == "https://[::9]:81" + TAIL


def test_a_prefix_is_put_back() -> None:
    assert url({**FORWARDED, "X-Forwarded-Prefix": "/bot/"}) == (
        "https://kulanz.example/bot" + TAIL
    )
