"""What stands in for TensorFlow lets Rasa be imported, and does nothing else."""

import sys

import pytest

from pipeline.without_tensorflow import Hollow


def test_rasa_is_loaded_without_tensorflow():
    import rasa.model_training  # noqa: F401

    assert not hasattr(sys.modules["tensorflow"], "__version__")
    import tensorflow.python.eager

    assert tensorflow.python.eager.whatever is Hollow


def test_decorators_change_nothing():
    def decorated():
        return 1

    assert Hollow(decorated) is decorated
    assert Hollow(option=True)(decorated) is decorated


def test_other_absent_modules_are_still_an_error():
    with pytest.raises(ModuleNotFoundError):
        import tensorflow_that_never_was  # noqa: F401
