"""What is observed, against autograd on the tensors themselves."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from symbreak.modules.cost.data import LossStep
from symbreak.modules.observation.observe import observe


def data(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seen(module, X, y):
    return observe(module, LossStep(F.mse_loss), (X, y))


def site(observed, name, kind):
    (found,) = [s for s in observed.sites if (s.name, s.kind) == (name, kind)]
    return found


def test_linear_features_and_parameters_against_autograd():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 5), nn.ReLU(inplace=True), nn.Linear(5, 2)).double()
    X, y = data(7, 3), data(7, 2, seed=2)
    observed = seen(module, X, y)
    z = module[0](X)
    J = F.mse_loss(module[2](z.relu()), y)
    (delta,) = torch.autograd.grad(J, z, retain_graph=True)
    torch.testing.assert_close(site(observed, "0", "linear features").activations, z.detach().T)
    torch.testing.assert_close(site(observed, "0", "linear features").deltas, delta.T)
    grads = torch.autograd.grad(J, list(module.parameters()))
    for parameter, grad in zip(observed.parameters, grads, strict=True):
        torch.testing.assert_close(parameter.grad, grad)
    assert observed.loss_value == pytest.approx(float(J.detach()), rel=1e-14)
    (call,) = observed.calls
    assert (call.name, call.function, call.site) == ("1", "relu", "0")
    torch.testing.assert_close(call.after, z.detach().relu().T)


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(4, 6, 3, groups=2), nn.Conv2d(4, 4, 3, groups=4), nn.ConvTranspose2d(4, 6, 2)],
    ids=["grouped", "depthwise", "transposed"],
)
def test_conv_channels(layer):
    layer = layer.double()
    X = data(2, 4, 6, 6)
    out = layer(X)
    y = data(*out.shape, seed=3)
    (delta,) = torch.autograd.grad(F.mse_loss(out, y), out)
    found = site(seen(nn.Sequential(layer), X, y), "0", "conv channels")
    torch.testing.assert_close(found.activations, out.detach().transpose(0, 1).flatten(1))
    torch.testing.assert_close(found.deltas, delta.transpose(0, 1).flatten(1))


class Heads(nn.Module):
    def __init__(self, weights):
        super().__init__()
        torch.manual_seed(0)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True).double()
        self.weights = weights

    def forward(self, x):
        return self.attn(x, x, x, need_weights=self.weights)[0]


@pytest.mark.parametrize("weights", [False, True])
def test_attention_heads_against_the_formula(weights):
    module, X = Heads(weights), data(3, 5, 8)
    y = data(3, 5, 8, seed=2)
    q, k, v = F.linear(X, module.attn.in_proj_weight, module.attn.in_proj_bias).chunk(3, -1)
    split = [t.unflatten(-1, (2, 4)).transpose(1, 2) for t in (q, k, v)]
    heads = (split[0] @ split[1].transpose(-1, -2) / 2.0).softmax(-1) @ split[2]
    J = F.mse_loss(module.attn.out_proj(heads.transpose(1, 2).flatten(2)), y)
    (delta,) = torch.autograd.grad(J, heads)
    found = site(seen(module, X, y), "attn", "attention heads")
    torch.testing.assert_close(found.activations, heads.detach().transpose(0, 1).flatten(1))
    torch.testing.assert_close(found.deltas, delta.transpose(0, 1).flatten(1))


class Rnn(nn.Module):
    def __init__(self, kind, packed, **options):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = kind(3, 4, 2, **options).double()
        self.packed = packed

    def forward(self, x):
        out, last = self.rnn(pack_padded_sequence(x, [5, 3, 2]) if self.packed else x)
        out = pad_packed_sequence(out)[0] if self.packed else out
        return out + sum(state.sum() for state in (last if isinstance(last, tuple) else (last,)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (nn.RNN, {"bidirectional": True}),
        (nn.RNN, {"nonlinearity": "relu", "bias": False}),
        (nn.GRU, {"bidirectional": True}),
        (nn.LSTM, {"bidirectional": True}),
        (nn.LSTM, {"proj_size": 2}),
    ],
    ids=str,
)
def test_recurrent_layers_step_by_step_give_what_the_fused_ones_give(kind, options, packed):
    module, X = Rnn(kind, packed, **options), data(5, 3, 3)
    with torch.no_grad():
        out = module(X)
    y = data(*out.shape, seed=2)
    observed = seen(module, X, y)
    torch.testing.assert_close(observed.output, out)
    J = F.mse_loss(module(X), y)
    grads = torch.autograd.grad(J, list(module.parameters()))
    for parameter, grad in zip(observed.parameters, grads, strict=True):
        torch.testing.assert_close(parameter.grad, grad)
    names = [s.name for s in observed.sites]
    both = ["rnn.l0", "rnn.l0_reverse", "rnn.l1", "rnn.l1_reverse"]
    assert names == (both if options.get("bidirectional") else ["rnn.l0", "rnn.l1"])


def test_stochastic_parts_are_off_and_named():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True).double()
    X, y = data(2, 5, 8), data(2, 5, 8, seed=2)
    observed = seen(layer, X, y)
    with torch.no_grad():
        expected = layer.eval()(X)
    torch.testing.assert_close(observed.output, expected)
    assert "self_attn: dropout 0.3 of attention" in observed.breakers
    assert len(observed.breakers) == 4


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Parameter(torch.randn(1, 3, 4))
        self.embed = nn.Embedding(6, 4)
        self.stack = nn.Parameter(torch.randn(2, 4, 5))
        self.unused = nn.Linear(2, 2)
        self.norm = nn.LayerNorm(4)

    def forward(self, ids):
        x = self.norm(self.embed(ids) + self.table[:, : ids.shape[1]])
        return torch.matmul(x.unsqueeze(1), self.stack).sum(1)


def test_roles_and_sites_of_parameters_used_directly():
    ids = torch.arange(6).reshape(2, 3)
    observed = seen(Mixed().double(), ids, data(2, 3, 5))
    roles = {p.name: p.role for p in observed.parameters}
    assert roles == {
        "table": "register",
        "embed.weight": "embedding",
        "stack": "product",
        "unused.weight": "unused",
        "unused.bias": "unused",
        "norm.weight": "norm",
        "norm.bias": "norm",
    }
    kinds = {s.name: (s.kind, len(s.activations)) for s in observed.sites}
    assert kinds == {
        "stack": ("experts", 2),
        "embed": ("embedding rows", 6),
        "table": ("register rows", 3),
    }


class Direct(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(4, 5))
        self.norm = nn.BatchNorm1d(5)

    def forward(self, x):
        return self.norm(F.linear(x, self.weight.T))


def test_a_transposed_parameter_is_known_and_the_copy_stays_as_found():
    module = Direct().double()
    observed = seen(module, data(7, 4), data(7, 5, seed=2))
    assert [(s.name, s.parameters) for s in observed.sites] == [("", ("weight",))]
    for name, value in module.state_dict().items():
        assert torch.equal(observed.module.state_dict()[name], value)


class Fused(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x * self.scale, dropout_p=0.5)


def test_dropout_of_a_fused_call_given_by_name():
    X = data(2, 3, 5, 4)
    observed = seen(Fused().double(), X, X)
    torch.testing.assert_close(observed.output, F.scaled_dot_product_attention(X, X, X))
    assert observed.breakers == ("dropout 0.5 of attention",)
