"""Where real accounts are configured nothing pretends to be a provider."""

import httpx

from tests.journey.conftest import World


async def test_a_service_with_its_own_accounts_has_no_simulator(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.service.url) as http:
        page = await http.get("/simulator")
        bot = await http.get("/simulator/providers/bot1:a/getMe")
    assert [page.status_code, bot.status_code] == [404, 404]
