"""``kulanz wording``: the whole catalogue as a reader sees it, for review by people."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from api.commands.session import Refused, console, errors
from api.wording_view import Chosen, Entry, entries, page
from conversation.wording import Catalogue, OverridesRefused, checked_overrides, load_catalogue


class Language(StrEnum):
    """Languages of the catalogue."""

    DE = "de"
    EN = "en"


class Channel(StrEnum):
    """Channels whose texts differ: an SMS has a form of its own, chats share one."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    TELEGRAM = "telegram"


def show(
    html: Annotated[
        bool, typer.Option("--html", help="Write one HTML page to the output.")
    ] = False,
    language: Annotated[Language | None, typer.Option(help="Only this language.")] = None,
    channel: Annotated[Channel | None, typer.Option(help="Only what this channel shows.")] = None,
    overrides: Annotated[
        Path | None, typer.Option(help="YAML file of a merchant's own texts, checked and shown.")
    ] = None,
) -> None:
    """Print every wording with its texts, tones, variants, buttons and SMS form."""
    try:
        catalogue, own = _catalogue(overrides)
    except Refused as error:
        errors.print(f"[bold red]✗[/] {error}", highlight=False)
        raise typer.Exit(1) from None
    chosen = Chosen(
        language=language.value if language else None, channel=channel.value if channel else None
    )
    found = entries(catalogue, chosen, own)
    if html:
        typer.echo(page(found, chosen))
        return
    for entry in found:
        console.print(_printed(entry), soft_wrap=False)
    console.print(f"{len(found)} wordings", style="dim")


def overrides_in(file: Path) -> dict[str, object]:
    """A merchant's texts from a YAML file, as they may be stored.

    Raises:
        Refused: the file cannot be read, or a text breaks a rule; the text names each.
    """
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        checked_overrides(data)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refused(f"{file}: {error}") from error
    except OverridesRefused as refused:
        lines = "\n  ".join(refused.problems)
        raise Refused(f"{file} is not taken:\n  {lines}") from refused
    return dict(data)


def _catalogue(overrides: Path | None) -> tuple[Catalogue, frozenset[str]]:
    if overrides is None:
        return load_catalogue(), frozenset()
    laid = checked_overrides(overrides_in(overrides))
    return laid.catalogue, laid.names


def _printed(entry: Entry) -> Group:
    """One wording for the terminal."""
    title = Text(entry.name, style="bold")
    title.append(f"  {' · '.join(entry.marks)}", style="dim")
    parts: list[Text | Padding] = [title]
    if entry.purpose:
        parts.append(Text(entry.purpose, style="italic"))
    for column in entry.columns:
        parts.append(Text(f"  {column.title}", style="cyan"))
        for shown in column.texts:
            parts.append(Text(f"    {' · '.join((*shown.labels, *shown.facts))}", style="dim"))
            parts.append(Padding(Text(shown.text), (0, 0, 0, 4)))
        if column.buttons:
            parts.append(Text(f"    [ {' ] [ '.join(column.buttons)} ]"))
    parts.append(Text())
    return Group(*parts)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("wording")(show)
