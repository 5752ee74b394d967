import json

import numpy as np
import pytest
import torch

import nowhere
from crossfix_training.config import CROSSFIX_S, Config, Nowhere
from crossfix_training.weights import load_weights, save_weights
from nowhere import EVIDENCE, Pairs, cross_validated, fitted, logistic, read_pairs, with_nowhere
from protocol import area_under, nowhere_figures

BIAS, WEIGHTS = 1.5, np.array([-3.0, 0.5, 0.0, -2.0, 0.0])


def drawn_pairs(count: int, seed: int = 0) -> Pairs:
    """Pairs that are wrong by the logistic function above. `deviation` tells nothing, `seen` is always 1."""
    rng = np.random.default_rng(seed)
    evidence = rng.normal(size=(count, 5)) * [0.5, 2, 1, 0.6, 0] + [0.5, 4, 1, 0.2, 1]
    evidence[:, 1] -= 4
    wrong = rng.random(count) < logistic(BIAS + evidence @ WEIGHTS)
    ground = np.array([f"Town/panorama/{i % (count // 3)}" for i in range(count)])
    return Pairs(evidence, wrong, ground, np.zeros(count, int))


def test_the_fit_finds_the_logistic_that_made_the_pairs():
    pairs = drawn_pairs(40_000)
    bias, weights = fitted(pairs, list(EVIDENCE))
    assert weights == pytest.approx(WEIGHTS, abs=0.1)
    assert weights[4] == 0  # it does not vary
    # Both classes weigh the same, which moves the bias by the logarithm of their odds.
    odds = np.log((~pairs.wrong).sum() / pairs.wrong.sum())
    assert bias == pytest.approx(BIAS + odds, abs=0.1)
    assert fitted(pairs, ["share"])[1].nonzero()[0].tolist() == [3]


def test_the_fit_is_where_the_penalised_loss_is_least():
    pairs = drawn_pairs(500)
    bias, weights = fitted(pairs, ["peak", "share"])
    shares = pairs.shares()
    deviation = np.sqrt(shares @ (pairs.evidence - shares @ pairs.evidence) ** 2)

    def loss(bias: float, weights: np.ndarray) -> float:
        sums = bias + pairs.evidence @ weights
        nats = np.logaddexp(0, np.where(pairs.wrong, -sums, sums))
        return shares @ nats + nowhere.PENALTY / 2 * ((weights * deviation) ** 2).sum()

    least = loss(bias, weights)
    for change in (-0.01, 0.01):
        assert loss(bias + change, weights) > least
        for i in (0, 3):
            assert loss(bias, weights + change * np.eye(5)[i]) > least


def test_pairs_that_are_told_apart_entirely_have_finite_weights():
    pairs = drawn_pairs(200)
    pairs.evidence[:, 0] = np.where(pairs.wrong, 1.0, 2.0)
    bias, weights = fitted(pairs, list(EVIDENCE))
    assert np.isfinite(weights).all() and abs(bias) < nowhere.STEEPEST
    result = nowhere.nowhere_of(pairs, bias, weights)
    assert ((result >= 0.5) == pairs.wrong).all()


def test_each_folder_weighs_the_same():
    one, other = drawn_pairs(300, 1), drawn_pairs(3000, 2)
    both = Pairs(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("evidence", "wrong", "ground", "folder")))
    both.folder[300:] = 1
    shares = both.shares()
    assert shares[:300].sum() == pytest.approx(1) and shares[300:].sum() == pytest.approx(1)
    assert shares[both.wrong].sum() == pytest.approx(1)


def test_cross_validation_is_by_ground_images():
    pairs = drawn_pairs(3000)
    result = cross_validated(pairs, list(EVIDENCE))
    ideal = logistic(BIAS + pairs.evidence @ WEIGHTS)
    areas = [area_under(value[~pairs.wrong], value[pairs.wrong]) for value in (result, ideal)]
    assert areas[0] == pytest.approx(areas[1], abs=0.01)
    # Pure chance at half: evidence that names the ground image helps nobody.
    rng = np.random.default_rng(3)
    named = Pairs(rng.normal(size=(200, 5)), np.arange(200) % 2 == 0, pairs.ground[:200], pairs.folder[:200])
    value = cross_validated(named, list(EVIDENCE))
    assert area_under(value[~named.wrong], value[named.wrong]) < 0.65


def record(number: int, **more) -> dict:
    return {"sample": number, "group": "Town", "ground": f"g{number % 3}", "fix": [0.5, 0.5], "radius68": 0.1, **more}


def evidence(peak: float) -> dict:
    return dict(zip(EVIDENCE, (peak, 3.0 + peak, 0.1, 0.5, 1.0)))


def write_results(folder, samples: list[dict]) -> None:
    folder.mkdir()
    (folder / "samples.jsonl").write_text("\n".join(json.dumps(line) for line in [{"format": 3}, *samples]) + "\n")


def some_samples() -> list[dict]:
    """Right: 0.1, 0.5, and 0.9 whose camera is outside; wrong: 0.3, 0.5; one unreadable, one blank."""
    belief = {"true": {"error_m": 1, "level": 0.5}, "reference": {"error_m": 1, "level": 0.5}}
    return [
        record(0, nowhere=0.1, evidence=evidence(0.9), **belief),
        record(1, nowhere=0.5, evidence=evidence(0.5), **belief),
        record(2, nowhere=0.9, evidence=evidence(0.1), reference=belief["reference"]),
        {"sample": 3, "group": "Town", "ground": "g0", "error": "no such file"},
        record(4, nowhere=0.3, evidence=evidence(0.7), wrong=True),
        record(5, nowhere=0.5, evidence=evidence(0.5), wrong=True),
        record(6, nowhere=1.0, evidence=dict.fromkeys(EVIDENCE, 0.0) | {"seen": 1.0}, wrong=True),
    ]


def test_figures_of_wrong_pairs():
    figures = nowhere_figures(some_samples(), {"Town": 40.0}, "true")
    assert figures["right"] == 2 and figures["wrong"] == 3
    # Of six couples: 0.3 is above 0.1, 0.5 above 0.1 and equal to 0.5, 1.0 above both.
    assert figures["area"] == pytest.approx(4.5 / 6)
    assert figures["right_not_here"] == 0.5
    assert figures["wrong_not_here"] == pytest.approx(2 / 3)
    assert figures["wrong_small_radius"] == pytest.approx(1 / 3)  # 4 m
    assert nowhere_figures(some_samples(), {"Town": 60.0}, "reference")["wrong_small_radius"] == 0
    low, high = figures["area_interval"]
    assert 0 <= low <= 4.5 / 6 <= high <= 1


def test_areas_of_equal_and_separate_values():
    assert area_under(np.array([0.2, 0.2]), np.array([0.2])) == 0.5
    assert area_under(np.array([0.1, 0.2]), np.array([0.3])) == 1
    assert np.isnan(area_under(np.array([]), np.array([0.3])))


def test_pairs_are_read_from_results(tmp_path):
    write_results(tmp_path / "run", some_samples())
    pairs = read_pairs([tmp_path / "run"])
    assert pairs.wrong.tolist() == [False, False, True, True]  # the blank one has no evidence
    assert pairs.evidence[:, 0].tolist() == [0.9, 0.5, 0.7, 0.5]
    write_results(tmp_path / "plain", some_samples()[:4])
    with pytest.raises(nowhere.DataError, match="2 right and 0 wrong pairs"):
        read_pairs([tmp_path / "plain"])


def run_of(folder, pairs: Pairs) -> None:
    samples = []
    for i, (values, wrong) in enumerate(zip(pairs.evidence, pairs.wrong)):
        more = {"wrong": True} if wrong else {"true": {}, "reference": {}}
        samples.append(record(i, nowhere=0.5, evidence=dict(zip(EVIDENCE, values)), **more))
        samples[-1]["ground"] = str(pairs.ground[i])
    write_results(folder, samples)


def test_the_weights_file_keeps_all_but_the_field(tmp_path, capsys):
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.float16)}
    named = Config.from_json(CROSSFIX_S.to_json().replace('"unknown"', '"a town, \\"nowhere\\":{ and back"'))
    save_weights(state, named, tmp_path / "in.safetensors")
    for number in range(2):
        run_of(tmp_path / str(number), drawn_pairs(400, number))
    words = ["--results", tmp_path / "0", tmp_path / "1", "--use", "peak", "share"]
    words += ["--weights", tmp_path / "in.safetensors", "--out", tmp_path / "out.safetensors"]
    assert nowhere.main([str(word) for word in words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[1].startswith(str(tmp_path / "0"))
    printed = json.loads(lines[-1])
    loaded, config = load_weights(tmp_path / "out.safetensors")
    assert config.nowhere == Nowhere(**printed)
    assert config.nowhere.peak < 0 and config.nowhere.standout == 0
    assert Config.from_json(config.to_json()) == config
    assert loaded.keys() == state.keys() and torch.equal(loaded["a"], state["a"])
    before, after = ((tmp_path / name).read_bytes() for name in ("in.safetensors", "out.safetensors"))
    lengths = [int.from_bytes(content[:8], "little") for content in (before, after)]
    assert after[8 + lengths[1] :] == before[8 + lengths[0] :] and lengths[1] % 8 == 0
    # Written again, the field is replaced.
    assert with_nowhere(after, printed) == after
    again = with_nowhere(after, {"bias": 2.0})
    (tmp_path / "again.safetensors").write_bytes(again)
    assert load_weights(tmp_path / "again.safetensors")[1].nowhere == Nowhere(bias=2.0)
    assert load_weights(tmp_path / "again.safetensors")[1].trained_on == named.trained_on


def test_a_configuration_without_the_field_stays_without():
    assert "nowhere" not in CROSSFIX_S.to_json()
    assert Config.from_json(CROSSFIX_S.to_json()) == CROSSFIX_S


def test_usage_and_input(tmp_path, capsys):
    assert nowhere.main(["--results", str(tmp_path / "none")]) == 3
    assert capsys.readouterr().err.startswith("nowhere: ")
    with pytest.raises(SystemExit) as stop:
        nowhere.main(["--results", str(tmp_path), "--out", "x"])
    assert stop.value.code == 2
