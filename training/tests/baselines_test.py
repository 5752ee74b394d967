import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from crossfix_training import augment, baseline_loss
from crossfix_training.baselines import (
    MCC,
    MCC_ROBOTCAR,
    MCC_SMALL,
    VIGOR_BASELINE,
    VIGOR_BASELINE_SMALL,
    BaselineConfig,
    Mcc,
    SpatialAttention,
    Upsampling,
    Vgg16,
    VigorBaseline,
    folded,
)
from crossfix_training.compatible import without_memory

TINY = BaselineConfig(satellite_size=128, ground_size=(64, 128), planes=4)


VGG_16 = 14_714_688  # the published convolutions, biases included


def attention(positions: int) -> int:
    """Parameters of spatial attention: eight times two linear maps."""
    return 8 * (2 * positions * (positions // 2) + positions + positions // 2)


def parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_trunk_is_vgg_16():
    assert parameters(Vgg16(64)) == VGG_16
    shapes = [tuple(f.shape[1:]) for f in Vgg16(4)(torch.zeros(1, 3, 32, 48))]
    assert shapes == [(4, 32, 48), (8, 16, 24), (16, 8, 12), (32, 4, 6), (32, 2, 3)]


def test_folding_batch_norm_changes_nothing():
    torch.manual_seed(3)
    model = Mcc(replace(TINY, batch_norm=True))
    images = torch.rand(4, 3, 128, 128), torch.rand(4, 3, 64, 128)
    for _ in range(3):
        model(*images)  # so that statistics differ from 0 and 1
    for name, parameter in model.named_parameters():
        if ".norms." in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
    plain = Mcc(TINY)
    plain.load_state_dict(folded(model.state_dict()))  # strict: nothing is left over
    for a, b in zip(model.eval()(*images), plain.eval()(*images)):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.long
def test_mcc_has_the_published_sizes():
    with without_memory():
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
    decoder = sum(9 * (a * b + c * d + d * e) + b + d + e for a, b, c, d, e in stages)
    assert parameters(model) == 2 * VGG_16 + attention(200) + attention(16) + decoder == 79_696_881


def test_the_vigor_baseline_has_the_published_sizes():
    with without_memory():
        model = VigorBaseline(VIGOR_BASELINE)
        delta, tile, panorama = model(torch.zeros(1, 3, 320, 320), torch.zeros(1, 3, 320, 640))
    assert delta.shape == (1, 2) and tile.shape == panorama.shape == (1, 4096)
    assert model.offset1.in_features == 8192 and model.offset1.out_features == 512
    regression = 8193 * 512 + 513 * 2
    assert parameters(model) == 2 * VGG_16 + attention(200) + attention(100) + regression == 34_028_818


def test_odd_sizes_keep_their_last_row_as_robotcar_needs():
    with without_memory():
        model = Mcc(MCC_ROBOTCAR)
        heat, _ = model(torch.zeros(1, 3, 512, 512), torch.zeros(1, 3, 154, 231))
    assert heat.shape == (1, 512, 512)
    assert model.grd_attention.weight1.shape == (8, 5 * 8, 20)  # 154 x 231 halved five times, upwards


def losses_of(model: torch.nn.Module, satellite, semi, ground, truth, semi_truth) -> torch.Tensor:
    if isinstance(model, Mcc):
        return baseline_loss.mcc_losses(*model(satellite, ground), truth)[0]
    delta, tile, panorama = model(satellite, ground)
    other = F.normalize(model.tile_descriptor(semi), dim=1)
    return baseline_loss.vigor_losses(delta, tile, other, panorama, truth, semi_truth)[0]


@pytest.mark.parametrize("network", [Mcc, VigorBaseline])
def test_every_parameter_learns_and_the_loss_falls(network):
    torch.manual_seed(1)
    model = network(TINY)
    satellite, semi, ground = torch.rand(4, 3, 128, 128), torch.rand(4, 3, 128, 128), torch.rand(4, 3, 64, 128)
    truth, semi_truth = 0.25 + 0.5 * torch.rand(4, 2), torch.rand(4, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    losses = []
    for step in range(25):
        optimizer.zero_grad()
        loss = losses_of(model, satellite, semi, ground, truth, semi_truth)
        loss.backward()
        if step == 0:
            for name, parameter in model.named_parameters():
                assert parameter.grad is not None and parameter.grad.any(), name
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.98 * losses[0], losses


def test_attention_is_a_weighted_sum():
    torch.manual_seed(2)
    attention = SpatialAttention(6, by_maximum=True)
    x = torch.randn(2, 5, 6)
    out = attention(x)
    assert out.shape == (2, 40)
    summary = x[1].amax(dim=0)
    weights = (summary @ attention.weight1[3] + attention.bias1[3, 0]) @ attention.weight2[3] + attention.bias2[3, 0]
    head = (x[1] * weights).sum(dim=1)
    assert torch.allclose(out[1, 15:20], head, atol=1e-5)


def test_blocks_of_the_tile_are_told_apart():
    """A change in one block of the backbone's features changes only the descriptor of that block."""
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
    right, wrong = torch.zeros(1, 8, 8), torch.zeros(1, 8, 8)
    right[0, 4, 2] = wrong[0, 2, 4] = 1
    losses = [baseline_loss.matching_loss(cosines, truth, 128) for cosines in (right, wrong)]
    assert losses[0] < 0.01 < 9 < losses[1]


def test_blocks_weigh_as_much_as_the_gaussian_reaches_into_them():
    truth = torch.tensor([[0.5 + 4.5 / 512, 3.5 / 8]])  # 4.5 px below the edge between blocks (3, 3) and (4, 3)
    weights = baseline_loss.block_weights(truth, 512)[0]
    assert weights[4, 3].item() == pytest.approx(1)
    assert weights[3, 3].item() == pytest.approx(math.exp(-(5.0**2) / 2 / 4**2), rel=1e-3)  # from pixel centre 255.5
    assert weights.count_nonzero() == 2
    far = baseline_loss.block_weights(torch.tensor([[0.5 + 16 / 512, 3.5 / 8]]), 512)[0]
    assert far.count_nonzero() == 1  # 16.5 px are 4.1 sigma: a share of 2e-4


def test_the_overlap_ratio_is_that_of_the_similarities():
    panorama, tile = torch.eye(2)[:1], torch.tensor([[0.8, 0.6]])
    semi = torch.tensor([[0.4, 0.84**0.5]])
    truth, semi_truth = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5, 0.0]])  # overlaps 1 and 1 / 3
    loss = baseline_loss.overlap_loss(tile, semi, panorama, truth, semi_truth)
    assert loss.item() == pytest.approx((0.5 - 1 / 3) ** 2)


def test_deltas_turn_with_the_tile():
    """The delta of a turned tile is the delta turned: (row, col) = (0.5 + dr / 2, 0.5 - dc / 2) on both sides."""
    truth = torch.tensor([[0.75, 0.375]])
    delta = torch.tensor([[0.5, 0.25]])
    assert baseline_loss.delta_loss(delta, truth) == 0
    turned = augment.quarter_turn(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 8), truth, 1)[2]
    assert baseline_loss.delta_loss(torch.tensor([[-0.25, 0.5]]), turned) == 0
    assert VigorBaseline(TINY).fix((torch.tensor([[-0.25, 0.5]]), None, None)).tolist() == turned.tolist()


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
