"""The check that keeps the documents true to the tree."""

from toolchain.docs import broken_links, map_faults

TREE = ["README.md", "docs/MAP.md", "docs/decisions/0001.md", "ledger/money.py", "ledger/book.py"]


def test_links_are_followed_from_where_they_stand() -> None:
    text = "[a](MAP.md) [b](../README.md#top) [c](decisions/) [d](https://x.example/y) [e](#here)"
    assert list(broken_links("docs/operating.md", text, TREE)) == []


def test_a_link_to_nothing_is_named() -> None:
    assert list(broken_links("README.md", "[a](docs/map.md)", TREE)) == [
        "README.md: the link to docs/map.md leads nowhere"
    ]


def test_the_map_has_to_name_what_exists() -> None:
    faults = list(map_faults("| `ledger/` | nouns |\n| `api/pages/` | gone |\n", TREE))
    assert faults == ["docs/MAP.md: there is no api/pages/"]


def test_the_map_has_to_know_every_module() -> None:
    faults = list(map_faults("| `ledger/bo*.py`, `docs/` | the book |\n", TREE))
    assert faults == ["docs/MAP.md: ledger/money.py is in no row"]
