import pytest
import torch

import augment
import baseline_loss
from baselines import (
    MCC,
    MCC_SMALL,
    VIGOR_BASELINE,
    VIGOR_BASELINE_SMALL,
    BaselineConfig,
    Mcc,
    SpatialAttention,
    Upsampling,
    Vgg16,
    VigorBaseline,
)

TINY = BaselineConfig(satellite_size=128, ground_size=(64, 128), planes=4)


def parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_trunk_is_vgg_16():
    assert parameters(Vgg16(64)) == 14_714_688  # the published convolutions, biases included
    shapes = [tuple(f.shape[1:]) for f in Vgg16(4)(torch.zeros(1, 3, 32, 48))]
    assert shapes == [(4, 32, 48), (8, 16, 24), (16, 8, 12), (32, 4, 6), (32, 2, 3)]


def test_mcc_has_the_published_sizes():
    with torch.device("meta"):
        model = Mcc(MCC)
        heat, cosines = model(torch.zeros(1, 3, 512, 512), torch.zeros(1, 3, 320, 640))
    assert heat.shape == (1, 512, 512) and cosines.shape == (1, 8, 8)
    stages = [(s.up.in_channels, s.up.out_channels, s.conv1.in_channels, s.conv1.out_channels, s.conv2.out_channels)
              for s in model.decoder]
    assert stages == [
        (4097, 1024, 1024, 512, 512),
        (512, 256, 256 + 512, 256, 256),
        (256, 128, 128 + 512, 128, 128),
        (128, 64, 64 + 256, 64, 64),
        (64, 32, 32 + 128, 32, 32),
        (32, 16, 16 + 64, 16, 1),
    ]


def test_the_vigor_baseline_has_the_published_sizes():
    with torch.device("meta"):
        model = VigorBaseline(VIGOR_BASELINE)
        delta, tile, panorama = model(torch.zeros(1, 3, 320, 320), torch.zeros(1, 3, 320, 640))
    assert delta.shape == (1, 2) and tile.shape == panorama.shape == (1, 4096)
    assert model.offset1.in_features == 8192 and model.offset1.out_features == 512


@pytest.mark.parametrize("model", [Mcc(TINY), VigorBaseline(TINY)], ids=["mcc", "vigor"])
def test_every_parameter_learns_and_the_loss_falls(model):
    torch.manual_seed(1)
    satellite, ground = torch.rand(4, 3, 128, 128), torch.rand(4, 3, 64, 128)
    truth = 0.25 + 0.5 * torch.rand(4, 2)
    loss_of = baseline_loss.mcc_loss if isinstance(model, Mcc) else baseline_loss.vigor_loss
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    losses = []
    for step in range(25):
        optimizer.zero_grad()
        loss = loss_of(*model(satellite, ground), truth)
        loss.backward()
        if step == 0:
            missing = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
            assert len(missing) <= 2, missing  # a ReLU that no input opens
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0], losses


def test_attention_is_a_weighted_sum_of_unit_length():
    torch.manual_seed(2)
    attention = SpatialAttention(6, by_maximum=True)
    x = torch.randn(2, 5, 6)
    out = attention(x)
    assert out.shape == (2, 40)
    assert torch.allclose(out.norm(dim=1), torch.ones(2))
    summary = x[1].amax(dim=0)
    weights = (summary @ attention.weight1[3] + attention.bias1[3, 0]) @ attention.weight2[3] + attention.bias2[3, 0]
    head = (x[1] * weights).sum(dim=1)
    assert torch.allclose(out[1, 15:20] / out[1, 15:20].norm(), head / head.norm(), atol=1e-5)


def test_blocks_of_the_tile_are_told_apart():
    """What changes in one block of the trunk's features changes that block's descriptor alone."""
    model = Mcc(BaselineConfig(satellite_size=256, ground_size=(64, 128), planes=4)).eval()
    features = torch.rand(1, 32, 16, 16)
    model.sat_extractor.forward = lambda x: [features]
    ground = torch.rand(1, 3, 64, 128)
    before = model.descriptors(torch.zeros(1, 3, 256, 256), ground)[0]
    features = features.clone()
    features[0, :, 7, 12] += 1.0  # block (3, 6)
    after = model.descriptors(torch.zeros(1, 3, 256, 256), ground)[0]
    changed = (before - after).abs().amax(dim=1)[0] > 1e-6
    assert changed.nonzero().tolist() == [[3, 6]]


def test_fixes_are_where_outputs_point():
    heat = torch.zeros(1, 128, 128)
    heat[0, 30, 100] = 5
    assert Mcc.fix(Mcc(TINY), (heat, None))[0].tolist() == pytest.approx([30.5 / 128, 100.5 / 128])
    delta = torch.tensor([[0.5, 0.25]])  # 160 rows down, 80 columns to the left of a tile of 640
    assert VigorBaseline(TINY).fix((delta, None, None))[0].tolist() == pytest.approx([0.75, 0.375])


def test_targets_turn_with_the_tile():
    truth = torch.tensor([0.3, 0.6])
    target = baseline_loss.heat_target(truth[None], 64)[0]
    assert target.sum().item() == pytest.approx(1)
    turned, _, moved = augment.quarter_turn(target[None], torch.zeros(1, 4, 8), truth, 1)
    assert torch.allclose(turned[0], baseline_loss.heat_target(moved[None], 64)[0], atol=1e-6)


def test_the_matching_loss_wants_the_true_block():
    truth = torch.tensor([[0.55, 0.30]])  # block (4, 2)
    heat = torch.zeros(1, 128, 128)
    right, wrong = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    right[0, 4, 2] = wrong[0, 2, 4] = 1
    assert baseline_loss.mcc_loss(heat, right, truth) < baseline_loss.mcc_loss(heat, wrong, truth)


def test_triplets_want_pairs_alike_and_others_not():
    same = torch.eye(3)
    assert baseline_loss.triplet_loss(same, same) < 1e-3
    assert baseline_loss.triplet_loss(same, same.roll(1, 0)) > 5
    assert baseline_loss.triplet_loss(same[:1], same[:1]) == 0


def test_overlap_of_a_tile_with_one_about_the_camera():
    places = torch.tensor([[0.5, 0.5], [0.5, 0.0], [0.25, 0.25]])
    expected = [1.0, (1 / 2) / (3 / 2), (9 / 16) / (23 / 16)]
    assert baseline_loss.overlap(places).tolist() == pytest.approx(expected)


def test_small_networks_are_comparable_with_the_bundled_one():
    for model in (Mcc(MCC_SMALL), VigorBaseline(VIGOR_BASELINE_SMALL)):
        assert 1_000_000 < parameters(model) < 6_000_000


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="multiple of 128"):
        Mcc(BaselineConfig(satellite_size=320))


def test_upsampling_doubles():
    stage = Upsampling(6, 2, 4, 5, 3)
    assert stage(torch.zeros(1, 6, 4, 4), torch.zeros(1, 2, 8, 8)).shape == (1, 3, 8, 8)
