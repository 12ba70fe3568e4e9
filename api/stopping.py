"""What waits for news hears at once that the process is told to stop, and holds up nobody's end."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_stopped(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` in this event loop when SIGTERM comes, before whoever else listens for it.

    Servers wait for open connections before they end what the application has started, so the end
    of the application is too late to hear of it.
    """
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
