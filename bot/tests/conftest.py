"""The trained assistant, loaded once for all tests: it takes longer than they do."""

import logging

import pytest
import structlog
from rasa.core.agent import Agent
from rasa.core.processor import MessageProcessor

from pipeline import action_call, model_files


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
