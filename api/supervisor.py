"""``kulanz up``: every process of the service as a child of one terminal.

What dies is started again after a short pause that grows; Ctrl-C and SIGTERM stop everything in
reverse order; a killed supervisor takes its children along (Linux: parent-death signal).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.console import Console
from rich.text import Text

from storage.embedded import Command, EngineFailed, signal_of

PR_SET_PDEATHSIG = 1
PAUSE_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
FIRST_START_PAUSE_SECONDS = (0.5, 1.0, 2.0, 3.0)
STEADY_SECONDS = 30
STOP_SECONDS = 12
LINES_OF_A_START_MAX = 60
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_black")

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")
Ready = Callable[[], Awaitable[None]]


class EndedWhileStarting(EngineFailed):
    """A child ended before it was usable."""


def die_with_parent() -> None:
    """In the child, before exec: be killed when the supervisor is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Child:
    """One supervised process. ``make`` builds its command anew for each start."""

    name: str
    make: Callable[[], Command]
    ready: Ready | None = None
    """Waits until the started process is usable; raises when it never becomes so."""
    restarts: int = 0
    starting: deque[str] | None = None
    """Lines of a start that is not ready yet: shown only if it fails."""
    process: asyncio.subprocess.Process | None = None
    command: Command | None = None
    started_at: float = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        return self.process.pid if self.process and self.process.returncode is None else None


class Supervisor:
    """Starts children in order, keeps them running, stops them in reverse order."""

    def __init__(self, console: Console, *, on_change: Callable[[], None] | None = None) -> None:
        self.children: list[Child] = []
        self._console = console
        self._stopping = False
        self._on_change = on_change or (lambda: None)
        self._width = 8

    def say(self, name: str, line: str, *, style: str = "") -> None:
        """One line of one part, with its name in front."""
        index = next((i for i, c in enumerate(self.children) if c.name == name), -1)
        colour = COLOURS[index % len(COLOURS)] if index >= 0 else "bold"
        text = Text(f"{name:<{self._width}} ", style=colour)
        text.append(line, style=style)
        self._console.print(text, soft_wrap=True, highlight=False)

    async def start(self, child: Child) -> None:
        """Start a child and wait until it is ready; from then on it is kept running."""
        self.children.append(child)
        self._width = max(self._width, len(child.name))
        for pause in FIRST_START_PAUSE_SECONDS:
            try:
                await self._bring_up(child)
                break
            except EndedWhileStarting:
                # What a killed service left behind may take a moment to be gone, a PostgreSQL that
                # nobody has buried yet for instance.
                await asyncio.sleep(pause)
        else:
            await self._bring_up(child, tell=True)
        child.tasks.append(asyncio.create_task(self._keep(child)))

    async def _bring_up(self, child: Child, *, tell: bool = False) -> None:
        """Launch a child and wait for it; what it printed meanwhile is shown if it fails.

        Raises:
            EndedWhileStarting: it ended; its lines are shown if `tell` says so.
        """
        child.starting = deque(maxlen=LINES_OF_A_START_MAX) if child.ready else None
        await self._launch(child)
        if child.ready is None:
            return
        try:
            await self._ready_or_gone(child, child.ready)
        except Exception as error:
            if tell or not isinstance(error, EndedWhileStarting):
                for line in child.starting or ():
                    self.say(child.name, line, style="dim")
            raise
        finally:
            child.starting = None

    async def _ready_or_gone(self, child: Child, ready: Ready) -> None:
        """Wait for a child to be usable, no longer than it lives."""
        process = child.process
        if process is None:
            return
        waiting = asyncio.ensure_future(ready())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                code = _exit(ended.result())
                raise EndedWhileStarting(f"{child.name} ended while starting ({code})")
            await waiting
        finally:
            for task in (waiting, ended):
                task.cancel()

    async def _launch(self, child: Child) -> None:
        command = child.make()
        child.command = command
        child.started_at = time.monotonic()
        child.process = await asyncio.create_subprocess_exec(
            *command.argv,
            env={**_inherited(command), **command.env},
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops in order
            preexec_fn=die_with_parent,
        )
        child.tasks = [task for task in child.tasks if not task.done()]
        child.tasks.append(asyncio.create_task(self._print(child, child.process)))
        self._on_change()

    async def _print(self, child: Child, process: asyncio.subprocess.Process) -> None:
        stream = process.stdout
        if stream is None:
            return
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # a line longer than the buffer: its rest follows
                continue
            if not line:
                return
            shown = line.decode("utf-8", "replace").rstrip()
            if shown and child.starting is not None:
                child.starting.append(shown)
            elif shown:
                self.say(child.name, shown)

    async def _keep(self, child: Child) -> None:
        """Start the child again whenever it ends, a little later each time it ends quickly."""
        quick = 0
        while not self._stopping and child.process is not None:
            code = await child.process.wait()
            if self._stopping:
                return
            steady = time.monotonic() - child.started_at > STEADY_SECONDS
            quick = 0 if steady else quick + 1
            pause = PAUSE_SECONDS[min(quick, len(PAUSE_SECONDS) - 1)]
            self.say(child.name, f"ended ({_exit(code)}), starting again", style="yellow")
            await asyncio.sleep(pause)
            if self._stopping:
                return
            child.restarts += 1
            try:
                await self._bring_up(child, tell=quick > 1)
            except Exception as error:
                self.say(child.name, f"did not come up: {error}", style="red")
                with contextlib.suppress(ProcessLookupError):
                    child.process.kill()

    async def stop(self) -> None:
        """Stop all children, last started first; what does not go is killed."""
        self._stopping = True
        for child in reversed(self.children):
            await self._stop(child)
        for child in self.children:
            for task in child.tasks:
                task.cancel()

    async def _stop(self, child: Child) -> None:
        process, command = child.process, child.command
        if process is None or command is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal_of(command))
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.say(child.name, "did not stop, killed", style="red")
        # Whatever it started itself goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _inherited(command: Command) -> dict[str, str]:
    """The environment a child starts with; only our own processes see our settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if command.ours or not name.startswith("KULANZ_")
    }


def _exit(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def stop_event(signals: Sequence[signal.Signals] = STOP_SIGNALS) -> asyncio.Event:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets; from now on they do nothing else."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in signals:
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def unless_stopped(work: Coroutine[Any, Any, T], stopped: asyncio.Event) -> T | None:
    """Do the work, or give it up when the event is set first (None)."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        for pending in (task, stopping):
            pending.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)
