import numpy as np
import pytest

from protocol import (
    Decoding,
    Labels,
    axis_figures,
    bootstrap,
    figures_of,
    fixes_of,
    heading_columns,
    mass_within,
    places_of,
    truths_of,
)


def labels(delta, panoramas):
    count = len(delta)
    return Labels(
        np.array(delta, float), np.full(count, 0.1), np.arange(count), panoramas, np.zeros(count, int)
    )


def test_the_reference_rounds_halves_to_even_about_127_and_drops_the_last_batch():
    some = labels([[1.25, 3.75], [-319.9, 319.9], [400, 0], [0, 0], [0, 0]], 5)
    truth, side, metres, scored = truths_of(some, "reference")
    assert truth[0].tolist() == [127, 125] and truth[1].tolist() == [-1, -1]
    assert side == 256 and set(metres) == {0.285}
    assert scored.tolist() == [True] * 4 + [False]


def test_the_true_mode_skips_tiles_without_the_camera():
    some = labels([[1.25, 3.75], [-320, 0], [319.9, 0]], 3)
    truth, side, _, scored = truths_of(some, "true")
    assert truth[0].tolist() == [321.25, 316.25] and side == 640
    assert scored.tolist() == [True, False, True]


def test_the_first_maximum_is_the_fix():
    logits = np.array([[0, 2, 2, 1]], np.float32)
    offsets = np.array([[[0, 0], [0.5, 0.25], [1, 1], [1, 1]]], np.float32)
    assert fixes_of(logits, offsets, "best_cell").tolist() == [[0.25, 0.625]]


def test_errors_are_metres_from_the_truth():
    logits, offsets = np.zeros((1, 1), np.float32), np.full((1, 1, 2), 0.5, np.float32)
    some = labels([[30, -40]], 4)  # one panorama of four: none is dropped
    figures = figures_of(some, logits, offsets, "true", Decoding(), full=False)
    assert figures["mean"] == pytest.approx(5) and figures["median"] == pytest.approx(5)
    # 12 down and 16 right of 127: 11 and 15 from the middle, 128.
    figures = figures_of(some, logits, offsets, "reference", Decoding(), full=False)
    assert figures["mean"] == pytest.approx(np.hypot(11, 15) * 0.285)


def test_mass_is_of_a_circle():
    even, places = np.full(16, 1 / 16), places_of(np.full((16, 2), 0.5))
    # Within one square of side 0.5, about (1.5, 1.5).
    assert mass_within(even, places, np.array([1.5, 1.5]), 0.2) == pytest.approx(np.pi * 0.04 / 0.25 / 16, abs=1e-5)
    assert mass_within(even, places, np.array([0.0, 0.0]), 9.0) == pytest.approx(1)


def test_the_bootstrap_draws_clusters():
    values, clusters = np.array([1.0, 1, 9, 9]), np.array([0, 0, 1, 1])
    assert bootstrap(values, clusters, np.mean) == [1, 9]
    assert bootstrap(values, np.zeros(4, int), np.mean) == [5, 5]


def test_headings_are_drawn_by_seed_and_name():
    names = [f"City/panorama/{i}" for i in range(1000)]
    draws = np.array([heading_columns(45, 1, name, 2048) for name in names])
    assert np.abs(draws).max() <= 256 and abs(draws.mean()) < 20 and draws.std() == pytest.approx(148, abs=8)
    assert (draws != [heading_columns(45, 2, name, 2048) for name in names]).mean() > 0.99
    assert heading_columns(0, 1, names[0], 2048) == 0


def test_errors_along_and_across_a_heading():
    # Three metres north; who looks east has them on the left.
    figures = axis_figures(np.array([[-3.0, 0.0]]), np.array([90.0]))
    assert figures["longitudinal"] == pytest.approx(0, abs=1e-9)
    assert figures["lateral_median"] == pytest.approx(3)
    assert figures["longitudinal_within"] == [1, 1, 1] and figures["lateral_within"] == [0, 1, 1]
