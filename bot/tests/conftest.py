"""Tests load Rasa as the service does."""

from pipeline import without_tensorflow

without_tensorflow.install()
