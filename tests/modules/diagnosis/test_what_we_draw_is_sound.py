"""What `initialize_module` draws, `diagnose` finds sound: for every layer of torch.nn with
parameters, found by reflection, and every role that can be registered; not even a note.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

import symbreak as sb
from symbreak.modules.anatomy.role import KINDS

EXAMPLES = 64
MAKES_PARAMETERS = ("Parameter(", "Linear(", "LayerNorm(", "_get_clones(", "EncoderLayer(")
BASES = {"RNNBase", "RNNCellBase", "Container", "Module"}
HOLDERS = {"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}


def numbers(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Headed(nn.Module):
    """The layer, and a linear layer that reads all it gives out."""

    def __init__(self, layer, *given):
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(self.body(*given).flatten(1).shape[1], 2)

    def body(self, *given):
        out = self.layer(*given)
        return out[0] if isinstance(out, tuple) else out

    def forward(self, *given):
        return self.head(self.body(*given).flatten(1))


class WithLoss(nn.Module):
    """A layer that gives out the loss."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x, y):
        out = self.layer(x, y)
        return getattr(out, "loss", out)


def image(n_axes, channels):
    return numbers(EXAMPLES, channels, *[4] * n_axes)


def layers(few, many):
    """A layer of each kind that reads `few` numbers and gives out `many`, and what it reads."""
    x, sequence = numbers(EXAMPLES, few), numbers(EXAMPLES, 3, few)
    ids = torch.randint(1, few, (EXAMPLES, 3), generator=torch.Generator().manual_seed(2))
    model = 8 * max(1, min(few, many) // 8)
    tokens, state = numbers(EXAMPLES, 4, model), numbers(EXAMPLES, many, seed=3)
    first = {"batch_first": True}
    block = {"dim_feedforward": many, "dropout": 0.0, **first}
    whole = {"num_encoder_layers": 1, "num_decoder_layers": 1, **block}
    found = {
        "Linear": (nn.Linear(few, many), x),
        "NonDynamicallyQuantizableLinear": (
            nn.modules.linear.NonDynamicallyQuantizableLinear(few, many),
            x,
        ),
        "Bilinear": (nn.Bilinear(few, 48, many), x, numbers(EXAMPLES, 48, seed=4)),
        "Embedding": (nn.Embedding(few, many, padding_idx=0), ids),
        "EmbeddingBag": (nn.EmbeddingBag(few, many), ids),
        "RNN": (nn.RNN(few, many, num_layers=2, **first), sequence),
        "GRU": (nn.GRU(few, many, **first), sequence),
        "LSTM": (nn.LSTM(few, many, bidirectional=True, proj_size=4, **first), sequence),
        "RNNCell": (nn.RNNCell(few, many), x, state),
        "GRUCell": (nn.GRUCell(few, many), x, state),
        "LSTMCell": (nn.LSTMCell(few, many), x, (state, state)),
        "MultiheadAttention": (
            nn.MultiheadAttention(model, 2, kdim=few, vdim=few, add_bias_kv=True, **first),
            tokens, sequence, sequence,
        ),
        "TransformerEncoderLayer": (nn.TransformerEncoderLayer(model, 2, **block), tokens),
        "TransformerDecoderLayer": (
            nn.TransformerDecoderLayer(model, 2, **block), tokens, tokens.flip(0),
        ),
        "TransformerEncoder": (
            nn.TransformerEncoder(nn.TransformerEncoderLayer(model, 2, **block), 2), tokens,
        ),
        "TransformerDecoder": (
            nn.TransformerDecoder(nn.TransformerDecoderLayer(model, 2, **block), 2),
            tokens, tokens.flip(0),
        ),
        "Transformer": (nn.Transformer(model, 2, **whole), tokens, tokens.flip(0)),
        "LayerNorm": (nn.LayerNorm(few), x),
        "RMSNorm": (nn.RMSNorm(few), x),
        "GroupNorm": (nn.GroupNorm(2, few), image(1, few)),
        "PReLU": (nn.PReLU(few), x),
    }  # fmt: skip
    for n in (1, 2, 3):
        shown, channels = image(n, few), max(6, many // 10)
        convolution, transposed = f"Conv{n}d", f"ConvTranspose{n}d"
        found[convolution] = (getattr(nn, convolution)(few, channels, 3, stride=2, groups=2), shown)
        found[transposed] = (getattr(nn, transposed)(few, channels, 4, stride=2, groups=2), shown)
        plain = x if n == 1 else shown
        found[f"BatchNorm{n}d"] = (getattr(nn, f"BatchNorm{n}d")(few), plain)
        found[f"InstanceNorm{n}d"] = (getattr(nn, f"InstanceNorm{n}d")(few, affine=True), shown)
    found["SyncBatchNorm"] = (nn.SyncBatchNorm(few), image(1, few))
    return found


def losses(few, many):
    """The layers that give out the loss."""
    cutoffs = [many // 2]
    adaptive = nn.AdaptiveLogSoftmaxWithLoss(few, many, cutoffs, div_value=2.0)
    found: dict[str, nn.Module] = {"AdaptiveLogSoftmaxWithLoss": adaptive}
    if hasattr(nn, "LinearCrossEntropyLoss"):
        found["LinearCrossEntropyLoss"] = nn.LinearCrossEntropyLoss(few, many)
    return found


def with_parameters():
    """The names of the layers of torch.nn that have parameters of their own."""
    for name, kind in vars(nn).items():
        if not (inspect.isclass(kind) and issubclass(kind, nn.Module)) or name in BASES | HOLDERS:
            continue
        own = [each for each in kind.__mro__ if each not in (nn.Module, object)]
        source = "".join(
            inspect.getsource(each.__init__) for each in own if "__init__" in vars(each)
        )
        if any(word in source for word in MAKES_PARAMETERS):
            begun_later: Any = kind if issubclass(kind, LazyModuleMixin) else None
            yield begun_later.cls_to_become.__name__ if begun_later else name


def found_in(module, step, batch):
    """What is found in a module that `initialize_module` drew."""
    sb.initialize_module(module)
    found = sb.diagnose(module, step=step, batch=batch).findings
    return [(finding.kind, finding.level, finding.where, finding.evidence) for finding in found]


def findings(module, *given):
    y = 4 * numbers(EXAMPLES, 2, seed=9)
    return found_in(module, lambda module, given: F.mse_loss(module(*given), y), given)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(("few", "many"), [(4, 600), (160, 6)])
@pytest.mark.parametrize("name", sorted(set(with_parameters())))
def test_a_layer_of_torch(name, few, many):
    torch.manual_seed(0)
    if name in losses(few, many):
        y = torch.linspace(0, many - 1, EXAMPLES).long()
        told = WithLoss(losses(few, many)[name])
        found = found_in(told, lambda m, b: m(*b), (numbers(EXAMPLES, few), y))
    else:
        layer, *given = layers(few, many)[name]
        module = Headed(layer, *given)
        # In training it asks for several processes.
        module.train(name != "SyncBatchNorm")
        found = findings(module, *given)
    assert not found


class Own(nn.Module):
    """A layer with one parameter and what it does with it."""

    def __init__(self, shape, function):
        super().__init__()
        self.w, self.function = nn.Parameter(numbers(*shape)), function

    def forward(self, x):
        return self.function(x, self.w)


def registered(few, many, kind, axes, parts):
    """Shape and use of a parameter of that role; it reads `few` numbers and gives out `many`."""
    if kind == "embedding":
        return (few, many), lambda x, w: w[x[:, :4].abs().mul(100).long() % few]
    if kind in ("norm weight", "slope"):
        return (few,), lambda x, w: x * w
    if kind in ("norm bias", "bias"):
        return (few,), lambda x, w: x + w
    if kind == "bias token":
        return (1, 1, few), lambda x, w: torch.cat([x[:, None], w.expand(len(x), 1, few)], 1)
    sizes = {"stack": 3, "out": many, "in": few}
    shape = [sizes[word] for word in axes.split()]
    shape[-2] *= parts
    if axes.endswith("out in"):
        return tuple(shape), lambda x, w: torch.tanh(by_example(x @ w.mT))
    return tuple(shape), lambda x, w: torch.tanh(
        by_example(sum(x @ part for part in w.chunk(parts, dim=-2)))
    )


def by_example(z):
    return z if z.dim() == 2 else z.movedim(1, 0).flatten(1)


MATRICES = [
    (kind, axes, parts)
    for kind in ("weight", "input weight", "recurrent weight", "attention weight", "kept")
    for axes in ("out in", "in out", "stack out in", "stack in out")
    for parts in (1, 3)
]
OTHERS = [(kind, "out in", 1) for kind in KINDS if kind not in {kind for kind, _, _ in MATRICES}]


@pytest.mark.parametrize(("few", "many"), [(4, 3000), (600, 8)])
@pytest.mark.parametrize(("kind", "axes", "parts"), [*MATRICES, *OTHERS])
def test_a_registered_role(kind, axes, parts, few, many):
    shape, function = registered(few, many, kind, axes, parts)
    layer = type("Layer", (Own,), {})(shape, function)
    sb.register_role(type(layer), "w", kind, axes=axes, parts=parts)
    if kind == "kept":
        layer.w.data.div_(few**0.5)
    x = numbers(EXAMPLES, few)
    assert not findings(Headed(layer, x), x)


def of_own_layout(function, shape, fan_in):
    """What is found where nobody registered the parameter, at the spread of its fan and beside."""
    layer, x = Own(shape, function), numbers(EXAMPLES, 4)
    module = Headed(layer, x)
    sb.initialize_module(module.head)
    for factor in (1.0, 30.0):
        layer.w.data = numbers(*shape) * factor / fan_in**0.5
        y = 4 * numbers(EXAMPLES, 2, seed=9)
        found = sb.diagnose(module, F.mse_loss, (x, y)).findings
        yield [(f.kind, f.where) for f in found if f.where == "layer.w"]


FORMS = {
    # how a parameter of (2000, 4) or (4, 2000), out or in first, may be used
    "x @ w": (lambda x, w: x @ w, (4, 2000)),
    "x @ w.T": (lambda x, w: x @ w.T, (2000, 4)),
    "x @ w.mT": (lambda x, w: x @ w.mT, (2000, 4)),
    "x @ w.t()": (lambda x, w: x @ w.t(), (2000, 4)),
    "x @ w.transpose(0, 1)": (lambda x, w: x @ w.transpose(0, 1), (2000, 4)),
    "x @ a copy": (lambda x, w: x @ w.permute(1, 0).contiguous(), (2000, 4)),
    "another dtype": (lambda x, w: (x.double() @ w.double().T).float(), (2000, 4)),
    "w @ x": (lambda x, w: (w @ x.T).T, (2000, 4)),
    "mm": (lambda x, w: torch.mm(x, w.t()), (2000, 4)),
    "addmm": (lambda x, w: torch.addmm(torch.zeros(2000), x, w.t()), (2000, 4)),
    "linear": (F.linear, (2000, 4)),
    "linear of a view": (lambda x, w: F.linear(x, w.T), (4, 2000)),
    "einsum": (lambda x, w: torch.einsum("ni,oi->no", x, w), (2000, 4)),
    "einsum, in first": (lambda x, w: torch.einsum("ni,io->no", x, w), (4, 2000)),
    "one of a stack": (lambda x, w: x @ w[0].T, (1, 2000, 4)),
    "experts": (lambda x, w: torch.einsum("ni,iek->nek", x, w).flatten(1), (4, 5, 400)),
    "two axes in": (
        lambda x, w: torch.einsum("nab,abo->no", x.unflatten(1, (2, 2)), w), (2, 2, 2000),
    ),
    "depthwise": (lambda x, w: F.conv1d(x[..., None], w, groups=4), (2000, 1, 1)),
    "transposed": (lambda x, w: F.conv_transpose1d(x[..., None], w), (4, 2000, 1)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_axes_are_read_from_the_call(form):
    function, shape = FORMS[form]
    right, wrong = of_own_layout(function, shape, 1 if form == "depthwise" else 4)
    assert not right
    assert ("wrong_scale", "layer.w") in wrong


def test_repair_draws_a_registered_role_by_its_fans():
    shape, function = registered(4, 4000, "weight", "out in", 1)
    layer, x = type("Layer", (Own,), {})(shape, function), numbers(EXAMPLES, 4)
    sb.register_role(type(layer), "w", axes="out in")
    module = Headed(layer, x)
    sb.initialize_module(module)
    layer.w.data.mul_(100)
    found = sb.diagnose(module, F.mse_loss, (x, 4 * numbers(EXAMPLES, 2, seed=9)))
    assert ("wrong_scale", "warning", "layer.w") in {
        (f.kind, f.level, f.where) for f in found.findings
    }
    after = sb.repair(module, found).after
    assert not after.findings
    assert 0.45 < layer.w.std() < 0.55  # 1 / sqrt(4)
