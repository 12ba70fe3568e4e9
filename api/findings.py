"""One line of what ``kulanz doctor`` found, and how good or bad it is."""

from dataclasses import dataclass

GOOD, MISSING, BAD = "[green]✓[/]", "[yellow]–[/]", "[red]✗[/]"


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``advice`` says what to do where something is to be done."""

    mark: str
    what: str
    state: str
    advice: str = ""
