"""Every text template is fit to be rendered, without rendering it for a customer.

The wording catalogue knows its own rules (syntax, declared arguments, tone, disclosure, length of
an SMS); templates of pages are compiled in the same kind of sandbox. Run:
``python -m toolchain.templates``; it lists every fault and exits 1.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from jinja2 import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from conversation.wording import CatalogueInvalid, check_catalogue, load_catalogue

_PAGES = "api/**/templates/**/*.html"


def page_faults(root: Path) -> Iterator[str]:
    """Templates of pages that do not compile."""
    environment = ImmutableSandboxedEnvironment(autoescape=True)
    for path in sorted(root.glob(_PAGES)):
        try:
            environment.parse(path.read_text("utf-8"))
        except TemplateSyntaxError as fault:
            yield f"{path.relative_to(root)}:{fault.lineno}: {fault.message}"


def wording_faults() -> list[str]:
    """What is wrong with the wording catalogue."""
    try:
        return check_catalogue()
    except CatalogueInvalid as invalid:
        return invalid.problems


def main() -> int:
    """Check the catalogue and all templates of this repository."""
    faults = [*wording_faults(), *page_faults(Path(__file__).parent.parent)]
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(load_catalogue().wordings)} wordings read, no findings")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
