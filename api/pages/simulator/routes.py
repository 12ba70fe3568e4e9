"""``/simulator``: the page, what its buttons do, and its live events. In a demo only."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import procrastinate
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from api.demo.customers import NotDelivered
from api.demo.phones import NotPossible
from api.demo.providers import PATH
from api.demo.shop import NothingToPay
from api.demo.stories import NoMoreCustomers, stories
from api.pages.simulator.panel import read_panel
from api.pages.simulator.render import LANGUAGES, page_html, panel_parts
from api.pages.simulator.simulation import Found, NobodyThere, NothingComes, Simulation, simulation
from api.wiring import Parts
from outreach.facts import PlannedContact, SkipReason

HERE: Final = Path(__file__).parent
HEARTBEAT_SECONDS: Final = 10
"""A line now and then keeps the connection; the panel is looked at anew with it."""
TOGETHER_SECONDS: Final = 0.05
"""News that come within this time make one look at the panel."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Done(BaseModel):
    """What the visitor wants done; each kind uses the fields that it needs."""

    phone: str = ""
    text: str = ""
    message: str = ""
    button: str = ""
    kind: str = ""
    step: str = ""


def _simulation(request: Request) -> Simulation:
    found: Simulation = request.app.state.simulation
    return found


async def _found(number: str, request: Request) -> Found:
    try:
        return await _simulation(request).find(number)
    except NobodyThere:
        raise HTTPException(404, "there is no such customer in the demo") from None


def _own_page(request: Request) -> None:
    """Only the page itself may act: no other site can post here from a visitor's browser."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403)


Sim = Annotated[Simulation, Depends(_simulation)]
Customer = Annotated[Found, Depends(_found)]

router = APIRouter(prefix="/simulator", include_in_schema=False)


@router.get("")
async def start(request: Request, sim: Sim, story: str = "", lang: str = "") -> Response:
    """The newest customer of a story."""
    told = stories().get(story) or next(iter(stories().values()))
    try:
        number = await sim.newest(told)
    except NobodyThere:
        raise HTTPException(404, "start the demo with `kulanz up --demo`") from None
    kept = f"?lang={lang}" if lang in LANGUAGES else ""
    return RedirectResponse(f"/simulator/{number}{kept}", 303)


@router.get("/{number}")
async def page(request: Request, sim: Sim, found: Customer, lang: str = "") -> Response:
    """Phones and panel of one customer."""
    language = _language(request, lang)
    html = page_html(found, await _panel(sim, found), language, sim.parts.running.stand_in)
    return HTMLResponse(html, headers=HEADERS | {"Content-Language": language})


@router.get("/{number}/live")
async def live(request: Request, sim: Sim, found: Customer, lang: str = "") -> Response:
    """What happens on the phones from ``Last-Event-ID`` on, and the panel as it changes."""
    try:
        last = int(request.headers.get("last-event-id", "0"))
    except ValueError:
        last = 0
    events = _events(sim, found, last, _language(request, lang))
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.post("/{number}/{what}", dependencies=[Depends(_own_page)])
async def do(what: str, done: Done, sim: Sim, found: Customer) -> Response:
    """Do what a button of the page says."""
    try:
        return JSONResponse(await _do(what, done, sim, found))
    except (NotPossible, NothingComes, NothingToPay, NoMoreCustomers) as error:
        return JSONResponse({"error": type(error).__name__, "detail": str(error)}, status_code=409)
    except NotDelivered as error:
        return JSONResponse({"error": "NotDelivered", "detail": str(error)}, status_code=502)


async def _do(what: str, done: Done, sim: Simulation, found: Found) -> dict[str, Any]:
    now = sim.parts.clock.now()
    phones = found.phones
    match what:
        case "write":
            await phones.write(done.phone, done.text, now)
        case "press":
            await phones.press(done.phone, done.message, done.button, now)
        case "attach":
            await phones.attach(done.phone, done.kind, now)
        case "read":
            await phones.read(done.phone, done.message)
        case "contact":
            decision = await sim.contact(found)
            if isinstance(decision, PlannedContact):
                return {"sent": decision.channel.value}
            reason = decision.reason if decision is not None else SkipReason.NOTHING_OPEN
            return {"sent": None, "reason": reason.value}
        case "clock":
            await sim.move_clock(found, done.step)
        case "pay":
            await sim.pay(found)
        case "again":
            return {"number": await sim.again(found.story, found.merchant)}
        case _:
            raise HTTPException(404)
    return {}


async def _panel(sim: Simulation, found: Found) -> Any:
    async with sim.parts.database.merchant(found.merchant.id) as session:
        now = sim.parts.clock.now()
        own = found.phones.owner.own_addresses
        return await read_panel(session, found.merchant, found.customer.id, own, now)


async def _events(sim: Simulation, found: Found, last: int, language: str) -> AsyncIterator[str]:
    addresses = found.phones.owner.addresses
    channel_of = {address: channel for channel, address in addresses.items()}
    shown: dict[str, str] = {}
    with sim.journal.listening() as news:
        async with _turns_finished(sim, found, news):
            while not sim.stopping:
                news.clear()
                # A visitor who leaves must not cut a statement short: that costs the connection.
                panel = await asyncio.shield(asyncio.ensure_future(_panel(sim, found)))
                state = {
                    "begun": bool(panel.talks),
                    "busy": panel.busy,
                    "typing": [channel_of[a] for a in sim.typing if a in channel_of],
                    "offset": sim.parts.clock.offset().total_seconds(),
                }
                parts = {"state": json.dumps(state), **panel_parts(found, panel, language)}
                changed = {name: text for name, text in parts.items() if shown.get(name) != text}
                shown |= changed
                if "state" in changed:
                    # Before the messages that came meanwhile: who is not busy has sent them all.
                    yield _event("state", state)
                    del changed["state"]
                for entry in sim.journal.after(last, channel_of):
                    data = {"phone": channel_of[entry.address], **entry.data}
                    yield _event(entry.kind, data, entry.number)
                    last = entry.number
                if changed:
                    yield _event("panel", changed)
                try:
                    await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
                    await asyncio.sleep(TOGETHER_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"


@asynccontextmanager
async def _turns_finished(
    sim: Simulation, found: Found, news: asyncio.Event
) -> AsyncIterator[None]:
    """What the workers publish about this merchant's conversations is news, too."""
    pubsub = sim.parts.events.redis.pubsub()

    async def listen() -> None:
        await pubsub.subscribe(f"kulanz:merchant:{found.merchant.id}")
        while True:
            if await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0):
                news.set()

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pubsub.aclose()  # type: ignore[no-untyped-call]


def _event(kind: str, data: Any, number: int | None = None) -> str:
    identity = f"id: {number}\n" if number is not None else ""
    return f"{identity}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _language(request: Request, wanted: str) -> str:
    if wanted in LANGUAGES:
        return wanted
    accepted = request.headers.get("accept-language", "")
    first = next((part[:2] for part in accepted.split(",") if part[:2] in LANGUAGES), "")
    return first or LANGUAGES[0]


async def _front() -> Response:
    """A demo's bare address leads to what there is to see."""
    return RedirectResponse("/simulator", 303)


@asynccontextmanager
async def simulator(app: FastAPI, parts: Parts, jobs: procrastinate.App) -> AsyncIterator[None]:
    """Serve the simulator where a demo has a stand-in; anywhere else there is none."""
    if not (parts.settings.demo and parts.running.stand_in):
        yield
        return
    async with simulation(parts, jobs) as made:
        app.state.simulation = made
        app.mount(PATH, made.stand_in.app())
        app.mount("/simulator/static", StaticFiles(directory=HERE / "static"))
        app.mount("/simulator/shared", StaticFiles(directory=HERE.parent / "static"))
        app.include_router(router)
        app.add_api_route("/", _front, include_in_schema=False)
        yield
