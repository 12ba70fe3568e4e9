"""The words that reduce a person to a debt appear nowhere in the tree.

Customers use them about themselves, so the training data may show them, and an institution that
helps carries one in its name. Run: ``python -m toolchain.words``; it lists every place and exits 1.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Built from parts, or this file would be the first finding.
_FORBIDDEN = re.compile("deb" + "tor|schuld" + "ner(?!beratung)", re.IGNORECASE)
_CUSTOMERS_OWN_WORDS = "nlu_data/"


def findings(path: str, text: str) -> Iterator[str]:
    """Places in one file, ``path:line``; line 0 is the file's own name."""
    if path.startswith(_CUSTOMERS_OWN_WORDS):
        return
    for number, line in enumerate([path, *text.splitlines()]):
        if _FORBIDDEN.search(line):
            yield f"{path}:{number}"


def files(root: Path) -> list[str]:
    """Every file that is, or with the next commit may become, part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in listed.stdout.split("\0") if name and (root / name).is_file()})


def main() -> int:
    """Check the repository this file belongs to."""
    root = Path(__file__).parent.parent
    names = files(root)
    found = [
        place
        for name in names
        for place in findings(name, (root / name).read_text("utf-8", errors="replace"))
    ]
    for place in found:
        print(f"{place}: a word that reduces a person to a debt; write 'customer'")
    print(f"{len(names)} files read, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
