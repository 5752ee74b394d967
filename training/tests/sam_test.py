import pytest
import torch
from torch import nn

from crossfix_training.sam import ascended


def test_the_gradient_is_that_of_the_sharpest_neighbour():
    model = nn.Linear(2, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)

    def backward():
        model.zero_grad()
        (model.weight * torch.tensor([3.0, 4.0])).square().sum().backward()

    backward()  # 2 w (9, 16) = (18, 32), of length 36.715
    with ascended(model, 0.5):
        assert model.weight.tolist()[0] == pytest.approx([1 + 9 / 36.7151, 1 + 16 / 36.7151])
        backward()
    assert model.weight.tolist()[0] == [1.0, 1.0]
    assert model.weight.grad.tolist()[0] == pytest.approx([18 * (1 + 9 / 36.7151), 32 * (1 + 16 / 36.7151)])


def test_running_statistics_are_left_alone():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    model(torch.randn(8, 3)).square().sum().backward()
    before = model[1].running_mean.clone()
    with ascended(model, 0.05):
        model(torch.randn(8, 3))
    assert torch.equal(model[1].running_mean, before)
    model(torch.randn(8, 3))
    assert not torch.equal(model[1].running_mean, before)
