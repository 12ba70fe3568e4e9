"""Whole dialogues over the real webhooks: every answer, and the ledger and reminders at the end.

They are data, see ``dialogues/README.md``. All of them are played first, several at once, since
one at a time they would take minutes; each is then a test of its own.
"""

import asyncio
from collections.abc import Mapping

import pytest

from tests.journey.conftest import Guests
from tests.journey.play import play
from tests.journey.script import Script, scripts

AT_ONCE = 6
SCRIPTS = list(scripts())


class DialogueDiffers(AssertionError):
    """Answers or end of a dialogue are not as its data say."""


def _marked(script: Script) -> object:
    marks = []
    if script.defect is not None:
        # Anything else that goes wrong in it is no known defect.
        marks = [pytest.mark.xfail(reason=script.defect, strict=True, raises=DialogueDiffers)]
    return pytest.param(script, id=f"{script.situation}: {script.name}", marks=marks)


@pytest.fixture(scope="module")
async def played(request: pytest.FixtureRequest, guests: Guests) -> Mapping[str, BaseException]:
    """Play the dialogues that were asked for; what went wrong, by name."""
    stage = asyncio.Semaphore(AT_ONCE)
    wrong: dict[str, BaseException] = {}

    async def one(script: Script) -> None:
        async with stage:
            try:
                done = await play(guests.world, script)
            except (Exception, pytest.fail.Exception) as error:
                error.add_note(f"dialogue: {script.name}")
                wrong[script.name] = error
                return
        if done.faults:
            report = [script.name, *done.faults, "", *done.transcript]
            wrong[script.name] = DialogueDiffers("\n".join(report))

    asked = {
        item.callspec.params["script"].name
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_dialogue.__name__
    }
    await asyncio.gather(*(one(script) for script in SCRIPTS if script.name in asked))
    return wrong


@pytest.mark.parametrize("script", [_marked(script) for script in SCRIPTS])
def test_dialogue(script: Script, played: Mapping[str, BaseException]) -> None:
    __tracebackhide__ = True
    if script.name in played:
        raise played[script.name]
