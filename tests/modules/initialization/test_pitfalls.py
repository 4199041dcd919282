"""Known traps of initialisation: PyTorch's own function falls into each, and ours does not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

import symbreak as sb


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def start(module, rule=None, **options):
    return sb.initialize_module(module, rule, **options)


def close(measured, wanted, n):
    """Within sampling error of a standard deviation of n numbers."""
    return float(measured) == pytest.approx(wanted, rel=5 * math.sqrt(0.5 / n))


def test_the_default_of_linear_lets_the_signal_die():
    layers = [part for _ in range(20) for part in (nn.Linear(200, 200), nn.ReLU())]
    net: Any = nn.Sequential(*layers).requires_grad_(False)
    torch.manual_seed(0)
    for layer in net[::2]:
        layer.reset_parameters()
        layer.bias.zero_()
    x = torch.randn(100, 200, generator=generator())
    assert float(net(x).square().mean()) < 1e-10
    start(net.requires_grad_(True))
    assert 0.2 < float(net.requires_grad_(False)(x).square().mean()) < 1.5  # E[a^2] of relu is 1/2


def test_packed_attention_has_the_fans_of_one_projection():
    wanted = math.sqrt(6 / (256 + 256))
    attention = nn.MultiheadAttention(256, 4)
    assert float(attention.in_proj_weight.detach().abs().max()) < 0.75 * wanted
    start(attention, "glorot_uniform")
    largest = float(attention.in_proj_weight.detach().abs().max())
    assert largest == pytest.approx(wanted, rel=1e-3)


def test_a_depthwise_convolution_has_the_fans_of_one_channel():
    conv = nn.Conv2d(64, 64, 3, groups=64)
    wanted = math.sqrt(2 / (9 + 9))
    torch.nn.init.xavier_normal_(conv.weight, generator=generator())
    assert not close(conv.weight.detach().std(), wanted, 576)
    start(conv, "glorot_normal")
    assert close(conv.weight.detach().std(), wanted, 576)


@pytest.mark.parametrize(("stride", "fan_in"), [(1, 256), (2, 64), (4, 16)])
def test_a_transposed_convolution_keeps_the_signal(stride, fan_in):
    conv = nn.ConvTranspose2d(16, 64, 4, stride=stride, bias=False).requires_grad_(False)
    x = torch.randn(8, 16, 20, 20, generator=generator())

    def variance():
        return float(conv(x)[..., 4:-4, 4:-4].var())

    torch.nn.init.kaiming_normal_(conv.weight, nonlinearity="linear", generator=generator())
    assert variance() < 0.3
    table = start(conv.requires_grad_(True), "lecun_normal")
    conv.requires_grad_(False)
    assert table["weight"].fan_in == fan_in
    assert variance() == pytest.approx(1, rel=5 * math.sqrt(2 / (16 * 64)))


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Parameter(torch.empty(8, 64, 256))


def test_stacked_experts_have_the_fans_of_one_expert():
    sb.register_role(Experts, "up", axes="stack in out")
    experts = Experts()
    x = torch.randn(100, 64, generator=generator())
    torch.nn.init.kaiming_normal_(experts.up, nonlinearity="linear", generator=generator())
    assert float((x @ experts.up.detach()).var()) < 0.01
    table = start(experts, "lecun_normal")
    assert (table["up"].fan_in, table["up"].fan_out) == (64, 256)
    assert float((x @ experts.up.detach()).var()) == pytest.approx(1, rel=0.1)


class RightHand(nn.Module):
    """x @ W, so that W is (in, out)."""

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.empty(30, 600))


def test_a_matrix_on_the_right_has_its_inputs_first():
    sb.register_role(RightHand, "W", axes="in out")
    layer = RightHand()
    torch.nn.init.kaiming_normal_(layer.W, nonlinearity="linear", generator=generator())
    assert not close(layer.W.detach().std(), 1 / math.sqrt(30), 18000)
    start(layer, "lecun_normal")
    assert close(layer.W.detach().std(), 1 / math.sqrt(30), 18000)


def test_a_truncated_normal_has_the_spread_asked_for_and_is_cut():
    small, unit = torch.empty(2, 100_000)
    torch.nn.init.trunc_normal_(small, std=0.02, generator=generator())
    assert float(small.abs().max()) > 4 * 0.02  # a = -2, b = 2 are not in standard deviations
    torch.nn.init.trunc_normal_(unit, std=1.0, generator=generator())
    assert not close(unit.std(), 1.0, unit.numel())
    for std in (0.02, 1.0):
        layer = nn.Linear(400, 250)
        start(layer, sb.rules.TruncatedNormal(std=std))
        weight = layer.weight.detach()
        assert close(weight.std(), std, weight.numel())
        assert float(weight.abs().max()) <= 2 * std / 0.8796


def test_orthogonal_works_in_low_precision():
    for dtype in (torch.bfloat16, torch.float16):
        layer = nn.Linear(8, 8).to(dtype)
        with pytest.raises(RuntimeError, match="not implemented"):
            torch.nn.init.orthogonal_(layer.weight)
        start(layer, "orthogonal")
        W = layer.weight.detach().double()
        eye = torch.eye(8, dtype=torch.float64)
        assert float((W @ W.T - eye).abs().max()) < 8 * torch.finfo(dtype).eps


def test_dtypes_share_their_numbers():
    single, double = torch.empty(100), torch.empty(100, dtype=torch.float64)
    torch.nn.init.normal_(single, generator=generator())
    torch.nn.init.normal_(double, generator=generator())
    assert not torch.allclose(single.double(), double)
    layers = nn.Linear(10, 10), nn.Linear(10, 10).double()
    for layer in layers:
        start(layer, "normal")
    assert torch.equal(layers[0].weight, layers[1].weight.float())


def test_a_longer_tensor_begins_with_the_same_numbers():
    short, long = torch.empty(15), torch.empty(16)
    torch.nn.init.normal_(short, generator=generator())
    torch.nn.init.normal_(long, generator=generator())
    assert not torch.equal(long[:15], short)
    layers = nn.Linear(1, 15), nn.Linear(1, 16)
    for layer in layers:
        start(layer, "normal")
    assert torch.equal(layers[1].weight[:15], layers[0].weight)


def test_a_seed_is_enough_to_repeat():
    masks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        W = torch.empty(50, 50)
        torch.nn.init.sparse_(W, 0.5, generator=generator())
        masks.append(W == 0)
    assert not torch.equal(*masks)  # the rows are chosen without the generator
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        layer = nn.Linear(50, 50)
        start(layer)
        found.append(layer.weight.detach())
    assert torch.equal(*found)


def test_one_rule_for_all_is_not_one_matrix_for_all():
    key = generator().get_state()
    same = []
    for _ in range(2):  # one seed used again, as in nets that seed every layer alike
        W = torch.empty(4, 4)
        torch.nn.init.normal_(W, generator=generator().set_state(key))
        same.append(W)
    assert torch.equal(*same)
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    start(net, sb.rules.Normal(std=1.0))
    assert not torch.isclose(net[0].weight, net[1].weight).any()


def test_copied_layers_do_not_start_alike():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = (dict(part.named_parameters()) for part in encoder.layers)
    weights = [name for name, p in first.items() if p.dim() > 1]
    assert all(torch.equal(first[name], second[name]) for name in weights)
    start(encoder)
    assert not any(torch.isclose(first[name], second[name]).any() for name in weights)


def test_what_has_no_memory_is_refused_and_empty_memory_is_filled():
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.PReLU(), nn.GRU(4, 4))
    torch.nn.init.normal_(module[0].weight)  # does nothing, silently
    with pytest.raises(sb.InvalidInput, match=r"Got 0.weight on the device 'meta'. Call module.to"):
        start(module)
    module.to_empty(device="cpu")
    for parameter in module.parameters():
        parameter.detach().fill_(torch.nan)
    table = start(module)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())
    assert not any("keeps" in row.note for row in table.rows)


@pytest.mark.parametrize("name", ["GELU", "SiLU", "ELU", "Softplus", "Mish"])
def test_every_activation_has_a_gain(name):
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        torch.nn.init.calculate_gain(name.lower())
    activation = getattr(nn, name)()
    net = nn.Sequential(nn.Linear(300, 300), activation, nn.Linear(300, 300))
    start(net)
    z = torch.randn(2000, 300, generator=generator())
    with torch.no_grad():
        assert float(net[2](activation(z)).square().mean()) == pytest.approx(1, rel=0.1)
