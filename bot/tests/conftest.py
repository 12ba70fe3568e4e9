"""Rasa as the service loads it; the trained assistant once, since that takes longer than tests."""

from pipeline import without_tensorflow

without_tensorflow.install()

import logging  # noqa: E402

import pytest  # noqa: E402
import structlog  # noqa: E402
from rasa.core.agent import Agent  # noqa: E402
from rasa.core.processor import MessageProcessor  # noqa: E402

from pipeline import action_call, model_files  # noqa: E402


@pytest.fixture(scope="session")
def agent() -> Agent:
    model = model_files.newest_model()
    if model is None:
        pytest.skip("no trained model: run bot/pipeline/train.py")
    action_call.install()
    # Rasa writes each state that a rule is compared with as a debug line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return Agent.load(str(model))


@pytest.fixture(scope="session")
def trained(agent: Agent) -> MessageProcessor:
    assert agent.processor is not None
    return agent.processor
