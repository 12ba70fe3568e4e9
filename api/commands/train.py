"""``kulanz train``: train the assistant where its inputs changed, or with reviewed lines."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.session import Refused, console, merchant_opened, run
from api.pages.console.choice import intents
from api.reviewed import (
    ReviewedUnusable,
    TriedElsewhere,
    accuracy,
    held_out_lines,
    keep,
    read_reviewed,
    tried,
)
from api.service import trained_model
from conversation.corrections import accepted, training_data


def train(
    with_reviewed: Annotated[
        Path | None,
        typer.Option(
            help="Train with this file of reviewed lines, too, as the console exports it.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    merchant: Annotated[
        str | None,
        typer.Option(help="Train with what this merchant's reviewers accepted, too."),
    ] = None,
) -> None:
    """Train the assistant (cached by a hash of its inputs)."""

    async def work() -> None:
        if with_reviewed is not None:
            await _with(with_reviewed.read_text("utf-8"))
        elif merchant is not None:
            await _with(await _accepted(merchant))
        else:
            console.print(f"model: {await trained_model()}", highlight=False)

    run(work())


async def _accepted(merchant: str) -> str:
    async with (
        merchant_opened(merchant) as (database, of, _),
        database.merchant(of.id) as session,
    ):
        return training_data(await accepted(session, of.id))


async def _with(text: str) -> None:
    """Measure what is understood with these lines, and keep them unless it is less than before."""
    if not held_out_lines():
        raise Refused("there are no held-out lines to measure by (tests/heldout)")
    try:
        taken = read_reviewed(text, intents(), [line for line, _ in held_out_lines()])
    except ReviewedUnusable as unusable:
        raise Refused(str(unusable)) from unusable
    for line in taken.held_out:
        console.print(f"refused, it is a held-out line: {line}", markup=False, highlight=False)
    if not taken.count:
        raise Refused("no line to train with")
    before = await accuracy()
    console.print(f"before: {before:.1%} of {len(held_out_lines())} held-out lines")
    try:
        with tried(taken.text()) as (lines, left_over):
            if left_over:
                console.print("a run that was ended early had left lines unmeasured: not used")
            after = await accuracy(lines)
    except TriedElsewhere as elsewhere:
        raise Refused(str(elsewhere)) from elsewhere
    console.print(f"after:  {after:.1%} with {taken.count} reviewed lines")
    if after < before:
        raise Refused("less is understood than before: the lines are not kept")
    keep(taken.text())
    console.print(f"model: {await trained_model()}", highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)
