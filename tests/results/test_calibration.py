"""The calibration error, by hand."""

import numpy as np
import pytest

from distill_utils.results.calibration import expected_calibration_error


def test_by_hand():
    said = np.array([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.65, 0.35]])
    labels = np.array([0, 1, 0, 0])
    # One bin: confidence 0.95, half right: 0.45. Another: confidence 0.65, all right: 0.35. Two texts each.
    assert expected_calibration_error(said, labels) == pytest.approx(100 * (0.45 + 0.35) / 2)


def test_errors_within_one_bin_cancel_and_across_bins_do_not():
    said = np.array([[0.95, 0.05], [0.55, 0.45]])
    assert expected_calibration_error(said, np.array([1, 0]), bins=1) == pytest.approx(25)  # 0.75 against one of two
    assert expected_calibration_error(said, np.array([1, 0])) == pytest.approx(100 * (0.95 + 0.45) / 2)


def test_certainty_is_in_the_last_bin():
    assert expected_calibration_error(np.eye(3), np.arange(3)) == 0
    assert expected_calibration_error(np.eye(3), np.array([1, 2, 0])) == 100


@pytest.mark.parametrize("said, labels", [(np.eye(2), [0]), ([[2.0, -1.0]], [0]), (np.eye(2), [0, 2])])
def test_what_does_not_fit_is_refused(said, labels):
    with pytest.raises(ValueError, match="^[^\n]+$"):
        expected_calibration_error(np.array(said), labels)
    with pytest.raises(ValueError, match="1 or more"):
        expected_calibration_error(np.empty((0, 2)), [])
