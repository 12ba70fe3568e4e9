"""SIGKILL at random moments loses nothing, doubles nothing, and leaves no orphans."""

import asyncio
import signal
from pathlib import Path

import pytest

from api.demo.serving import serving
from api.demo.standin import StandIn
from api.demo.started import AUTH_TOKEN, StartedService
from api.service import BOT_PYTHON
from benchmarks.kill import Plan, run_round
from benchmarks.people import prepare
from benchmarks.processes import alive, descendants

pytestmark = pytest.mark.skipif(not BOT_PYTHON.exists(), reason="the assistant is not installed")


async def test_killed_processes_lose_nothing(tmp_path: Path) -> None:
    plan = Plan(conversations=24, messages=4, kills=7, kill_every_seconds=2.5, spread_seconds=14)

    outcome = await run_round(plan, tmp_path)

    assert outcome.broken == []


async def test_a_killed_supervisor_leaves_no_orphans_and_the_next_start_works(
    tmp_path: Path,
) -> None:
    standin = StandIn(AUTH_TOKEN)
    async with serving(standin.app()) as url:
        # An address where no dialogue engine listens: this test needs none.
        service = StartedService(tmp_path, url, extra={"KULANZ_RASA_URL": "http://127.0.0.1:9"})
        await prepare(service.settings(), 1)
        service.start()
        try:
            await service.until_listening()
            assert service.process is not None
            family = descendants(service.process.pid)
            assert {"postgres", "valkey", "web"} <= {process.part for process in family}

            service.send_signal(signal.SIGKILL)
            await asyncio.to_thread(service.process.wait)
            for _ in range(50):
                if not alive(family):
                    break
                await asyncio.sleep(0.1)
            assert alive(family) == []

            service.start()
            await service.until_listening()
            family = descendants(service.process.pid)
        finally:
            code = await service.stop()
        assert code == 0
        assert alive(family) == []
    await standin.close()
