"""The supervisor keeps children running and leaves none behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from api.supervisor import Child, Supervisor
from storage.embedded import Command, EngineFailed

SLEEP = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(60)"]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(FileNotFoundError):
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    return True


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.02)


async def test_a_killed_child_comes_back_and_stop_ends_it() -> None:
    output = StringIO()
    supervisor = Supervisor(Console(file=output))
    child = Child("sleeper", lambda: Command("sleeper", SLEEP))
    await supervisor.start(child)
    first = child.pid
    assert first is not None
    await until(lambda: "hello" in output.getvalue())
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.pid not in (None, first))
    second = child.pid
    assert second is not None
    await until(lambda: output.getvalue().count("hello") == 2)
    await supervisor.stop()
    assert not alive(first)
    assert not alive(second)
    assert child.restarts == 1
    assert "ended (signal SIGKILL), starting again" in output.getvalue()


async def test_a_start_that_fails_shows_what_was_printed() -> None:
    output = StringIO()
    supervisor = Supervisor(Console(file=output))

    async def never() -> None:
        await asyncio.sleep(2)
        raise EngineFailed("not in time")

    child = Child("broken", lambda: Command("broken", SLEEP), never)
    with pytest.raises(EngineFailed, match="not in time"):
        await supervisor.start(child)
    await supervisor.stop()
    assert "hello" in output.getvalue()
    assert child.pid is None


async def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    script = textwrap.dedent(
        f"""
        import asyncio, sys
        from rich.console import Console
        from api.supervisor import Child, Supervisor
        from storage.embedded import Command

        async def main():
            supervisor = Supervisor(Console(stderr=True))
            child = Child("sleeper", lambda: Command("sleeper", {SLEEP!r}))
            await supervisor.start(child)
            print(child.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout is not None
        pid = int(await asyncio.to_thread(process.stdout.readline))
        assert alive(pid)
        process.kill()
    if sys.platform == "linux":
        await until(lambda: not alive(pid))


async def test_a_start_is_tried_again_when_the_child_ends_at_once(tmp_path: Path) -> None:
    """A PostgreSQL of a killed service may still be in the way of the next one for a moment."""
    flag = tmp_path / "second"
    script = f"import pathlib, sys, time; f = pathlib.Path({str(flag)!r}); "
    script += "gone = not f.exists(); f.touch(); gone and sys.exit(1); time.sleep(60)"
    supervisor = Supervisor(Console(file=StringIO()))

    async def ready() -> None:
        await asyncio.sleep(3)

    child = Child("late", lambda: Command("late", [sys.executable, "-c", script]), ready)
    await supervisor.start(child)
    assert child.pid is not None
    await supervisor.stop()
    assert child.pid is None
