import pytest

import results


def errors(mean: float) -> dict:
    def figure(value: float) -> dict:
        return {"value": value, "interval95": [value - 0.1, value + 0.1]}

    within = {f"within_{metres}m": figure(0.1 * metres) for metres in (1, 3, 5)}
    return {"count": 7, "mean_m": figure(mean), "median_m": figure(mean / 2), **within}


def test_the_published_tables_shape(capsys):
    uncertainty = {"coverage68": 0.678, "fifths": [{"coverage68": share} for share in (0.7, 0.6, 0.7, 0.7, 0.69)]}
    runs = {
        "all": {"positives": {"errors": errors(2.0), "uncertainty": uncertainty}, "every": {"errors": errors(4.0)}},
        **{label: {"errors": errors(20.0)} for label in results.CONTROLS},
    }
    results.print_tables({"ours": {set_name: runs for set_name in results.SETS}}, ["9.00 / 8.00"] * 4)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "| ours | 2.00 / 1.00 | 4.00 / 2.00 | 2.00 / 1.00 | 4.00 / 2.00 |"
    assert lines[3] == "| the tile's centre | 9.00 / 8.00 | 9.00 / 8.00 | 9.00 / 8.00 | 9.00 / 8.00 |"
    assert "| ours, same-area, positives | 7 | 2.00 [1.90, 2.10] | 1.00 [0.90, 1.10] | 10.0, 30.0, 50.0 |" in lines
    assert "| ours, cross-area, satellite alone | 7 | 20.00 [19.90, 20.10] | 10.00 [9.90, 10.10] | 10.0, 30.0, 50.0 |" in lines
    assert "| ours, same-area | 67.8 | 70, 60, 70, 70, 69 |" in lines
    assert all(line.count("|") == 6 for line in lines[:4])


def test_the_centres_error_is_the_labels(world):
    (world / "world.json").write_text('{"cities": [{"name": "Town", "metres_per_pixel": 0.1}]}')
    positives, every = results.centre_errors(world, "same_area_balanced_train")
    expected = [0.1 * ((10.5 * i) ** 2 + 20.25**2) ** 0.5 for i in range(8)]
    assert positives == pytest.approx(expected) and every == pytest.approx(expected)  # a tile a panorama holds it


def test_a_model_is_a_name_and_a_file():
    assert results.model("MCC=build/mcc.safetensors") == ("MCC", results.Path("build/mcc.safetensors"))
    with pytest.raises(results.argparse.ArgumentTypeError, match="expected NAME=FILE"):
        results.model("build/mcc.safetensors")
