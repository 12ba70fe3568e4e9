"""The figures by which the understanding is judged, on values counted by hand."""

import pytest

from benchmarks.nlu_compare import calibration_error, out_of_scope_recall


def test_answers_as_sure_as_they_are_right_have_no_calibration_error() -> None:
    # Ten answers of 0.7 in one bin, seven of them right.
    assert calibration_error([0.7] * 10, [True] * 7 + [False] * 3) == pytest.approx(0)


def test_the_calibration_error_weighs_each_bin_by_its_answers() -> None:
    # 0.9 three times, all right: 0.1 off. 0.5 once, wrong: 0.5 off. (3 * 0.1 + 0.5) / 4.
    assert calibration_error([0.9, 0.9, 0.9, 0.5], [True, True, True, False]) == pytest.approx(0.2)


def test_within_a_bin_too_sure_and_too_unsure_even_out() -> None:
    # Both in the bin from 9/15 to 10/15: mean 0.63, half of them right.
    assert calibration_error([0.61, 0.65], [True, False]) == pytest.approx(0.13)
    # In two bins nothing evens out: 0.39 and 0.75 off.
    assert calibration_error([0.61, 0.75], [True, False]) == pytest.approx(0.57)


def test_full_certainty_belongs_to_the_last_bin() -> None:
    assert calibration_error([1.0, 1.0], [True, True]) == 0
    assert calibration_error([1.0], [False]) == 1


def test_answers_must_pair_with_their_truth() -> None:
    with pytest.raises(ValueError, match="shorter"):
        calibration_error([0.5, 0.5], [True])


def test_out_of_scope_is_caught_below_the_lowest_three_percent_inside() -> None:
    # 100 lines inside, 0.00 to 0.99: three lie under 0.03.
    inside = [place / 100 for place in range(100)]
    assert out_of_scope_recall(inside, [0.0, 0.02, 0.029, 0.03, 0.5]) == pytest.approx(3 / 5)


def test_the_order_of_the_lines_does_not_matter() -> None:
    inside = [place / 100 for place in reversed(range(100))]
    assert out_of_scope_recall(inside, [0.5, 0.01]) == pytest.approx(1 / 2)


def test_few_lines_inside_allow_no_false_reject() -> None:
    # 3 % of 30 lines is less than one: only what is surer of nothing than all of them is caught.
    assert out_of_scope_recall([0.4] * 30, [0.39, 0.4]) == pytest.approx(1 / 2)
