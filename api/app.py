"""The web process: webhooks, the action endpoint, the merchant's API and health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api import (
    action_endpoint,
    bank_statements,
    claim_costs,
    claim_statements,
    customer_channels,
    customer_pages,
    handoffs,
    intake,
    webhooks,
)
from api.errors import register_errors
from api.logs import configure_logs
from api.merchant_events import routes as merchant_events
from api.pages.console import routes as console
from api.pages.genuine import routes as genuine
from api.pages.pay import routes as pay
from api.pages.reference import routes as reference
from api.pages.sandbox_payment import routes as sandbox_payment
from api.pages.simulator.routes import simulator
from api.payments import routes as payments
from api.payments.accounts import PaymentProviders
from api.queue import make_app as make_jobs
from api.settings import Settings
from api.stopping import when_stopped
from api.wiring import parts

log = structlog.get_logger()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    configure_logs()
    async with parts(Settings()) as made:
        app.state.parts = made
        app.state.database = made.database
        app.state.payments = PaymentProviders(made)
        app.state.executor = action_endpoint.make_executor()
        jobs = make_jobs(made, pool_size=2)
        async with jobs.open_async():
            app.state.jobs = jobs
            with when_stopped(made.events.stop):
                async with simulator(app, made, jobs):
                    yield
        await app.state.payments.close()


def create_app() -> FastAPI:
    """The application; its parts are connected when it starts."""
    app = FastAPI(
        title="Kulanz",
        summary="Open claims in, agreements out.",
        description=(
            "Hand over open claims, keep their open amounts fresh, and take over conversations "
            "that need a person. "
            "Authenticate with `Authorization: Bearer <API key>`."
        ),
        version="1",
        docs_url=None,  # FastAPI's own page loads its script from elsewhere
        openapi_url="/api/openapi.json",
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.include_router(action_endpoint.router)
    app.include_router(webhooks.router)
    app.include_router(payments.router)
    app.include_router(intake.router)
    app.include_router(claim_costs.router)
    app.include_router(bank_statements.router)
    app.include_router(claim_statements.router)
    app.include_router(handoffs.router)
    app.include_router(customer_channels.router)
    app.include_router(customer_pages.router)
    app.include_router(merchant_events.router)
    app.include_router(genuine.router)
    app.include_router(console.router)
    app.include_router(pay.router)
    app.include_router(sandbox_payment.router)
    app.include_router(reference.router)
    register_errors(app)

    @app.get("/health", include_in_schema=False)
    async def health(request: Request) -> Response:
        """Whether this process and its database answer; the dialogue engine is told apart."""
        made = request.app.state.parts
        try:
            async with made.database.operator() as session:
                await session.execute(text("SELECT 1"))
        except (DBAPIError, PoolTimeout, OSError):
            return JSONResponse({"status": "no database"}, status_code=503)
        ready = await made.engine.ready()
        return JSONResponse({"status": "ok", "dialogue": "ok" if ready else "starting"})

    return app
