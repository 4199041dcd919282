"""Twins: the designed modules and the findings that were expected of them."""

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from tests.modules.diagnosis import starts
from tests.modules.diagnosis.starts import data, twin_

SEQUENCES = data(4, 6, 8)


def found(module, X, y=None, loss=F.mse_loss, **options):
    if y is None:
        with torch.no_grad():
            y = data(*module(X).shape, seed=9)
    result = sb.diagnose(module, loss, (X, y), **options)
    return [
        (f.kind, f.where, f.units, f.permanent, f.level)
        for f in result.findings
        if f.kind in ("identical_units", "mirrored_units")
    ]


def identical(where, *units, permanent=True, level="error"):
    return ("identical_units", where, units, permanent, level)


X = data(16, 4)
IMAGES = data(4, 3, 8, 8)

FRESH = {
    "mlp tanh": (lambda: starts.mlp(nn.Tanh), X),
    "mlp relu": (lambda: starts.mlp(nn.ReLU), X),
    "resnet": (starts.resnet, IMAGES),
    "cnn": (starts.cnn, data(4, 2, 6, 6)),
    "gru": (lambda: starts.Recurrent(nn.GRU), data(4, 6, 3)),
    "lstm": (lambda: starts.Recurrent(nn.LSTM, num_layers=2, bidirectional=True), data(4, 6, 3)),
    "attention": (starts.Attention, SEQUENCES),
    "encoder": (lambda: _encoder(), SEQUENCES),
    "decoder": (lambda: Decoder(), SEQUENCES),
    "written attention": (lambda: Written(), SEQUENCES),
    "cell": (lambda: Cell(), SEQUENCES),
    "listed experts": (starts.ListedExperts, X),
    "stacked experts": (starts.StackedExperts, X),
}


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2)

    def forward(self, x):
        return self.decoder(x, x.flip(1))


class Written(nn.Module):
    """Attention by hand: no fused call, one projection for queries, keys and values."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        attention = torch.softmax(q @ k.transpose(-2, -1) / 2.0, dim=-1)
        return self.out((attention @ v).transpose(1, 2).flatten(2))


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRUCell(8, 4)

    def forward(self, x):
        h = None
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return h


def _encoder():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return nn.TransformerEncoder(layer, 3)  # clones of one layer, in series


@pytest.mark.parametrize("name", FRESH)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_fresh_modules_have_no_twins_and_no_error(name, dtype):
    make, given = FRESH[name]
    module = make().to(dtype)
    given = given.to(dtype)
    with torch.no_grad():
        y = data(*module(given).shape, seed=9)
    result = sb.diagnose(module, F.mse_loss, (given, y))
    assert [f for f in result.findings if f.kind in ("identical_units", "mirrored_units")] == []
    assert [f for f in result.findings if f.level == "error"] == []


@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU, nn.Sigmoid])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_duplicated_units_are_one_unit_for_ever(act, dtype):
    module = starts.mlp(act).to(dtype)
    twin_(module[0], module[2], 2, 5)
    assert found(module, X.to(dtype)) == [identical("0", 2, 5)]


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.RMSprop, torch.optim.Adam])
def test_the_users_optimizer_confirms(make):
    module = starts.mlp()
    twin_(module[2], module[4])
    assert found(module, X, optimizer=make) == [identical("2", 0, 1)]
    assert found(module, X, optimizer=make(module.parameters(), lr=0.01)) == [identical("2", 0, 1)]


def test_mirrored_units_are_lost_with_an_odd_function_only():
    module = starts.mlp(nn.Tanh)
    twin_(module[0], module[2], sign=-1.0)
    assert found(module, X) == [("mirrored_units", "0", (0, 1), True, "error")]
    module[1] = nn.Sigmoid()  # its derivative is even: deltas still are mirrored, but not for long
    assert found(module, X) == [("mirrored_units", "0", (0, 1), False, "note")]
    module[1] = nn.ReLU()
    assert found(module, X) == []


def test_equal_incoming_or_equal_outgoing_weights_alone_are_harmless():
    module = starts.mlp()
    before = module[2].weight.detach().clone()
    twin_(module[0], module[2])
    with torch.no_grad():
        module[2].weight.copy_(before)
    assert found(module, X) == []
    module = starts.mlp()
    with torch.no_grad():
        module[2].weight[:, 1] = module[2].weight[:, 0]
    assert found(module, X) == []


def test_blocks_of_equal_sums_are_found_though_no_rows_are_equal():
    module = starts.mlp()
    twin_(module[0], module[2])
    with torch.no_grad():
        module[2].weight[1] = module[2].weight[0]
        module[2].bias[1] = module[2].bias[0]
        module[4].weight[:, 1] = module[4].weight[:, 0]
        module[2].weight[:2, :2] = torch.tensor([[0.9, -0.5], [-0.5, 0.9]])
        module[2].weight[2:, 1] = module[2].weight[2:, 0]
    assert found(module, X) == [identical("0", 0, 1), identical("2", 0, 1)]


def test_zero_and_constant_starts():
    module = starts.mlp()
    for p in module.parameters():
        nn.init.zeros_(p)
    every = tuple(range(8))
    assert found(module, X) == [identical("0", *every), identical("2", *every)]
    for p in module.parameters():
        nn.init.constant_(p, 0.1)
    assert found(module, X)[:2] == [identical("0", *every), identical("2", *every)]


def test_zero_head_and_first_layer_of_zeros_with_random_second():
    module = starts.mlp()
    nn.init.zeros_(module[4].weight)
    nn.init.zeros_(module[4].bias)
    assert found(module, X) == []
    module = starts.mlp(nn.Tanh)
    nn.init.zeros_(module[0].weight)
    nn.init.zeros_(module[0].bias)
    assert [f for f in found(module, X) if f[3]] == []
    module = starts.mlp(nn.ReLU)  # dead: the derivative of relu at zero is zero
    nn.init.zeros_(module[0].weight)
    nn.init.zeros_(module[0].bias)
    assert identical("0", *range(8)) in found(module, X)


def test_dropout_breaks_them_and_is_named():
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 1))
    for p in module.parameters():
        nn.init.constant_(p, 0.1)
    result = sb.diagnose(module, F.mse_loss, (X, data(16, 1)))
    (finding,) = [f for f in result.findings if f.kind == "identical_units"]
    assert (finding.permanent, finding.level) == (False, "warning")
    assert "2: dropout 0.5" in finding.evidence
    module.eval()
    assert found(module, X) == [identical("0", *range(8))]


def test_units_that_agree_on_the_batch_only():
    module = starts.mlp()
    twin_(module[0], module[2])
    with torch.no_grad():
        module[0].weight[1, 3] += 1.0
    given = X.clone()
    given[:, 3] = 0.0  # a feature that is zero on this batch
    assert found(module, given) == []


def test_classes_absent_from_the_batch_are_not_twins():
    module = starts.mlp()
    module[4] = nn.Linear(8, 10)
    nn.init.zeros_(module[4].weight)
    nn.init.zeros_(module[4].bias)
    assert found(module, X, torch.arange(16) % 3, F.cross_entropy) == []


def test_convolutions():
    module = starts.cnn()
    with torch.no_grad():  # depthwise twins need twins before them and after
        module[0].weight[1] = module[0].weight[0]
        module[0].bias[1] = module[0].bias[0]
        module[2].weight[1] = module[2].weight[0]
        module[2].bias[1] = module[2].bias[0]
        module[4].weight[1] = module[4].weight[0]  # (in, out, ...) of a transposed convolution
        module[4].weight[:, 3] = module[4].weight[:, 2]
        module[4].bias[3] = module[4].bias[2]
        module[6].weight[:, 3] = module[6].weight[:, 2]
    expected = [identical("0", 0, 1), identical("2", 0, 1), identical("4", 2, 3)]
    assert found(module, data(4, 2, 6, 6)) == expected


def test_residual_blocks():
    module = starts.resnet()
    twin_(module[1].conv1, module[1].conv2, 1, 4)
    assert found(module, IMAGES) == [identical("1.conv1", 1, 4)]
    module = starts.resnet()
    nn.init.zeros_(module[1].bn2.weight)
    nn.init.zeros_(module[2].bn2.weight)
    assert found(module, IMAGES) == []


def test_icnr_kernels_are_harmless():
    torch.manual_seed(0)
    module: Any = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(2, 1, 3)
    )
    with torch.no_grad():
        module[0].weight.copy_(module[0].weight[::4].repeat_interleave(4, 0))
        module[0].bias.copy_(module[0].bias[::4].repeat_interleave(4, 0))
    assert found(module, IMAGES) == []


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_hidden_units_of_recurrent_layers(kind, gates):
    module = starts.Recurrent(kind)
    starts.twin_hidden_(module, gates, 1, 3)
    assert found(module, data(4, 6, 3)) == [identical("rnn.l0", 1, 3)]
    with torch.no_grad():
        module.rnn.weight_hh_l0[:, 3] += 0.1  # read differently by the next step
    assert found(module, data(4, 6, 3)) == []


@pytest.mark.parametrize("weights", [False, True])
def test_heads_equal_in_all_are_one_and_not_otherwise(weights):
    module = starts.Attention(weights=weights)
    starts.twin_heads_(module.attn)
    assert found(module, SEQUENCES) == [identical("attn", 0, 1)]
    for part in ({"out": False}, {"v": False}, {"v": False, "out": False}):
        module = starts.Attention(weights=weights)
        starts.twin_heads_(module.attn, **part)
        assert found(module, SEQUENCES) == []


def test_heads_of_attention_by_hand_and_units_of_a_cell():
    module = Written()
    with torch.no_grad():
        for part in range(3):
            for values in (module.qkv.weight, module.qkv.bias):
                values[8 * part + 4 : 8 * part + 8] = values[8 * part : 8 * part + 4].clone()
        module.out.weight[:, 4:] = module.out.weight[:, :4].clone()
    # one finding for the heads, with one part for each pair of features within them
    assert found(module, SEQUENCES) == [identical("", 0, 1)]
    heads = sb.diagnose(module, F.mse_loss, (SEQUENCES, data(4, 6, 8))).findings[0]
    pairs = {(8 * part + k, 8 * part + k + 4) for part in range(3) for k in range(4)}
    assert {part.units for part in heads.parts} == pairs
    assert len(heads.to_dict()["parts"]) == 12
    unrolled: Any = Cell()
    with torch.no_grad():
        for gate in range(3):
            a, b = 4 * gate, 4 * gate + 2
            for values in unrolled.cell.parameters():
                values[b] = values[a].clone()
        unrolled.cell.weight_hh[:, 2] = unrolled.cell.weight_hh[:, 0]
    y = data(4, 4, seed=9)
    y[:, 2] = y[:, 0]  # h itself is the output: its units are told apart by their targets
    assert [f for f in found(unrolled, SEQUENCES, y) if f[3]] == []
    with_head: Any = nn.Sequential(unrolled, nn.Linear(4, 2))
    with torch.no_grad():
        with_head[1].weight[:, 2] = with_head[1].weight[:, 0]
    assert found(with_head, SEQUENCES) == [identical("0.cell", 0, 2)]


def test_hidden_features_of_an_encoder_layer():
    module = _encoder().eval()
    twin_(module.layers[1].linear1, module.layers[1].linear2, 3, 7)
    assert found(module, SEQUENCES) == [identical("layers.1.linear1", 3, 7)]


class NamedExperts(starts.ListedExperts):
    """Experts in a dictionary."""

    def __init__(self):
        super().__init__(copies=True, zero_router=True)
        self.named = nn.ModuleDict(dict(zip("abc", self.experts, strict=True)))
        del self.experts

    def forward(self, x):
        gate = self.router(x).softmax(-1)
        return sum(gate[..., k : k + 1] * e(x) for k, e in enumerate(self.named.values()))


def test_named_experts_and_frozen_ones():
    module = NamedExperts()
    assert identical("named", 0, 1, 2) in found(module, X)
    module.named.requires_grad_(False)  # kept equal on purpose
    assert identical("named", 0, 1, 2, level="note") in found(module, X)


@pytest.mark.parametrize("kind", [starts.ListedExperts, starts.StackedExperts])
def test_experts_that_are_copies(kind):
    assert found(kind(copies=True), X) == []
    twins = [f for f in found(kind(copies=True, zero_router=True), X) if f[2] == (0, 1, 2)]
    names = ["experts"] if kind is starts.ListedExperts else ["up", "down"]
    assert sorted(f[1] for f in twins if f[1] != "router") == sorted(names)
    assert all(f[3] and f[4] == "error" for f in twins)
    assert found(kind(zero_router=True), X) == []


def test_low_rank_factors():
    assert found(starts.LoRA(), data(16, 6)) == []
    expected = [identical("lora_A", 0, 1, 2)]
    assert found(starts.LoRA(zero_a=True), data(16, 6)) == expected


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mean_rows": True},
        {"tied": True},
        {"zero_head": True},
        {"tied": True, "mean_rows": True},
    ],
    ids=str,
)
def test_embeddings_and_heads_of_a_vocabulary_are_harmless(options):
    ids, y = starts.tokens()
    result = found(starts.Tokens(**options), ids, y, F.cross_entropy)
    assert [f for f in result if f[3]] == []


def test_equal_register_tokens_are_one_token():
    ids, y = starts.tokens()
    module = starts.Tokens(registers="zero").eval()
    assert found(module, ids, y, F.cross_entropy) == [identical("register", 0, 1, 2)]


class Positions(nn.Module):
    """A table of zeros, of which only the first rows are used."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Parameter(torch.zeros(1, 9, 8))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head((x + self.table[:, : x.shape[1]]).tanh())


def test_rows_of_a_table_that_the_batch_does_not_reach_are_not_judged():
    assert found(Positions(), SEQUENCES) == []


class Series(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        first = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 8))
        nn.init.zeros_(first[2].weight)
        nn.init.zeros_(first[2].bias)
        self.blocks = nn.ModuleList(Shortcut(copy.deepcopy(first)) for _ in range(3))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class Shortcut(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


def test_equal_blocks_in_series_are_no_experts():
    assert found(Series(), SEQUENCES) == []


def test_within_autocast_twins_are_found_and_harmless_ones_are_not():
    def step(module, batch):
        with torch.autocast("cpu", torch.bfloat16):
            return F.mse_loss(module(batch[0]).float(), batch[1])

    def twins(module):
        result = sb.diagnose(module, step=step, batch=(X, data(16, 2, seed=9)))
        return [(f.where, f.units) for f in result.findings if f.permanent and "_units" in f.kind]

    module = starts.mlp()
    twin_(module[0], module[2])
    assert twins(module) == [("0", (0, 1))]
    with torch.no_grad():
        module[2].weight[:, 1] *= 1.01
    assert twins(module) == []
