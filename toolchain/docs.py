"""The documents are true to the tree: links lead somewhere, and the map knows every folder.

Run: ``python -m toolchain.docs``; it lists every fault and exits 1.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from toolchain.words import files

MAP = "docs/MAP.md"

_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)")
_MAP_ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


def broken_links(path: str, text: str, known: Iterable[str]) -> Iterator[str]:
    """Relative links of a Markdown file that lead to no known file or folder."""
    there = set(known)
    there |= {str(parent) for name in there for parent in PurePosixPath(name).parents}
    for target in _LINK.findall(text):
        parts: list[str] = []
        for part in (PurePosixPath(path).parent / target).parts:
            if part == ".." and parts:
                parts.pop()
            elif part not in (".", ".."):
                parts.append(part)
        if "/".join(parts) not in there:
            yield f"{path}: the link to {target} leads nowhere"


def map_faults(text: str, known: Iterable[str]) -> Iterator[str]:
    """Rows of the map without a file, and Python files that no row of the map covers.

    A row names files, patterns of files, or folders (with a slash at the end).
    """
    names = list(known)
    patterns = [code for row in _MAP_ROW.findall(text) for code in _CODE.findall(row)]
    for pattern in patterns:
        if not any(_covers(pattern, name) for name in names):
            yield f"{MAP}: there is no {pattern}"
    for name in names:
        module = name.endswith(".py") and "/" in name and not name.endswith("/__init__.py")
        if module and not any(_covers(pattern, name) for pattern in patterns):
            yield f"{MAP}: {name} is in no row"


def _covers(pattern: str, name: str) -> bool:
    if pattern.endswith("/"):
        return name.startswith(pattern)
    return fnmatch(name, pattern)


def main() -> int:
    """Check the documents of this repository."""
    root = Path(__file__).parent.parent
    names = files(root)
    faults = list(map_faults((root / MAP).read_text("utf-8"), names))
    for name in names:
        if name.endswith(".md"):
            faults += broken_links(name, (root / name).read_text("utf-8"), names)
    for fault in faults:
        print(fault)
    if not faults:
        print("the map and all links fit the tree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
