"""Applications of some routers, made once a process: that takes longer than most tests."""

from functools import cache

from fastapi import APIRouter, FastAPI

from api.app import create_app

_made: dict[tuple[int, ...], tuple[FastAPI, tuple[APIRouter, ...]]] = {}


def app_of(*routers: APIRouter) -> FastAPI:
    """The application of these routers; whoever uses it sets its ``state.parts``."""
    which = tuple(map(id, routers))  # routers have no hash
    if which not in _made:
        app = FastAPI()
        for router in routers:
            app.include_router(router)
        _made[which] = app, routers
    return _made[which][0]


@cache
def whole_app() -> FastAPI:
    """The web process's application; whoever uses it sets its ``state.parts``."""
    return create_app()
