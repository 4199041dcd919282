"""Repair of planted modules: clean afterwards, all else bit-equal, the function kept by split."""

import copy
import json
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import symbreak as sb
from symbreak.findings import Diagnosis, Finding
from symbreak.modules.anatomy.outgoing import reader_of
from symbreak.modules.repair.places import incoming
from tests.modules.diagnosis import starts
from tests.modules.diagnosis.starts import data, twin_

X = data(16, 4)
Y = data(16, 2, seed=9)
IMAGES = data(4, 2, 6, 6)


def found(module, X=X, y=None, loss=F.mse_loss):
    if y is None:
        with torch.no_grad():
            y = data(*module(X).shape, seed=9)
    return sb.diagnose(module, loss, (X, y))


def mlp():
    """Twins in one layer, mirrored units in the next."""
    module = starts.mlp(nn.Tanh)
    twin_(module[0], module[2], 1, 4)
    twin_(module[2], module[4], 2, 3, -1.0)
    return module


def cnn():
    """Twin channels before a convolution, and before a transposed one."""
    torch.manual_seed(0)
    module: Any = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 5, 3, padding=1),
        nn.GELU(), nn.ConvTranspose2d(5, 3, 2, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(3 * 36, 2),
    )  # fmt: skip
    twin_(module[0], module[3], 0, 2)
    with torch.no_grad():
        module[3].weight[4], module[3].bias[4] = module[3].weight[1], module[3].bias[1]
        module[5].weight[4] = module[5].weight[1]  # (in, out, ...)
        module[5].weight[:, 2], module[5].bias[2] = module[5].weight[:, 0], module[5].bias[0]
        module[8].weight[:, 72:] = module[8].weight[:, :36]
    return module


def changed(module, before):
    """Return the entries that differ, as {name: mask}, without parameters that are as before."""
    masks = {}
    for name, p in module.named_parameters():
        both_nan = p.detach().isnan() & before[name].isnan()
        masks[name] = (p.detach() != before[name]) & ~both_nan
    return {name: mask for name, mask in masks.items() if mask.any()}


def rows(shape, *indices):
    mask = torch.zeros(shape, dtype=torch.bool)
    for index in indices:
        mask[index] = True
    return mask


def state(module):
    return {name: p.detach().clone() for name, p in module.named_parameters()}


@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_linear_units_are_mended_and_nothing_else_is_touched(how):
    module = mlp()
    before = state(module)
    repair = sb.repair(module, found(module, y=Y), how=how)
    assert not found(module, y=Y).findings
    assert repair.after.ok
    assert [(r.place, r.finding, r.units, r.how) for r in repair.rows] == [
        ("0", "identical_units", (4,), how),
        ("2", "mirrored_units", (3,), how),
    ]
    weights = {"0.weight": rows((8, 4), 4), "2.weight": rows((8, 8), 3)}
    biases = {"0.bias": rows(8, 4), "2.bias": rows(8, 3)} if how == "redraw" else {}
    masks = changed(module, before)
    assert masks.keys() == {*weights, *biases}
    assert all(torch.equal(masks[name], mask) for name, mask in (weights | biases).items())
    if how == "redraw":
        assert module[0].bias[4] == module[2].bias[3] == 0  # as initialize_module has it
    else:
        change = (module[2].weight - before["2.weight"])[3]
        assert 0.3 < change.std() / (0.01 * before["2.weight"].std()) < 1.7  # 8 entries
    assert json.dumps(repair.to_dict())
    assert "error, spread" in str(repair)


@pytest.mark.parametrize(("make", "inputs"), [(mlp, X), (cnn, IMAGES)])
def test_split_keeps_the_function_and_touches_outgoing_weights_alone(make, inputs):
    module = make().double()
    before, output = state(module), module(inputs.double())
    repair = sb.repair(module, found(module, inputs.double()), how="split")
    assert (module(inputs.double()) - output).abs().max() <= 1e-14 * output.abs().max()
    assert not [f for f in found(module, inputs.double()).findings if f.level != "note"]
    masks = changed(module, before)
    if make is mlp:
        columns = (slice(None), [1, 4]), (slice(None), [2, 3])
        shapes = {"2.weight": (8, 8), "4.weight": (2, 8)}
        expected = {n: rows(s, c) for (n, s), c in zip(shapes.items(), columns, strict=True)}
        assert [r.units for r in repair.rows] == [(1, 4), (2, 3)]
    else:
        parts = [*range(36), *range(72, 108)]
        expected = {
            "3.weight": rows((5, 4, 3, 3), (slice(None), [0, 2])),
            "5.weight": rows((5, 3, 2, 2), [1, 4]),
            "8.weight": rows((2, 108), (slice(None), parts)),
        }
    assert masks.keys() == expected.keys()
    assert all(torch.equal(masks[name], mask) for name, mask in expected.items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("how", ["redraw", "perturb", "split"])
def test_short_dtypes(dtype, how):
    module, eps = mlp().to(dtype), torch.finfo(dtype).eps
    output = module(X.to(dtype))
    repair = sb.repair(module, found(module, X.to(dtype), Y.to(dtype)), how=how)
    assert [r.finding for r in repair.rows] == ["identical_units", "mirrored_units"]
    assert {p.dtype for p in module.parameters()} == {dtype}
    away = (module(X.to(dtype)) - output).abs().max() / output.abs().max()
    assert how != "split" or away < 4 * eps


def test_channels_are_redrawn():
    module = cnn()
    before = state(module)
    sb.repair(module, found(module, IMAGES))
    assert not [f for f in found(module, IMAGES).findings if f.level == "error"]
    masks = changed(module, before)
    assert torch.equal(masks["0.weight"], rows((4, 2, 3, 3), 2))
    assert torch.equal(masks["3.weight"], rows((5, 4, 3, 3), 4))
    assert torch.equal(masks["5.weight"], rows((5, 3, 2, 2), (slice(None), 2)))
    assert "8.weight" not in masks


@pytest.mark.parametrize("how", ["redraw", "perturb", "split"])
def test_training_separates_repaired_units_and_not_others(how):
    module = mlp().double()
    X, y = data(64, 4).double(), data(64, 2, seed=9).double()
    left = copy.deepcopy(module)
    sb.repair(module, found(module, X, y), how=how)
    for each in (module, left):
        optimizer = torch.optim.Adam(each.parameters(), lr=0.01)
        for _ in range(200):
            optimizer.zero_grad()
            F.mse_loss(each(X), y).backward()
            optimizer.step()
    one, other = (each[0].weight.detach()[[1, 4]] for each in (module, left))
    assert (one[0] - one[1]).norm() > 0.05 * one[0].norm()
    assert (other[0] - other[1]).norm() < 1e-6 * other[0].norm()


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.Sigmoid])
@pytest.mark.parametrize("value", [0.0, 0.1])
def test_zero_and_constant_starts(activation, value):
    module = starts.mlp(activation)
    for parameter in module.parameters():
        nn.init.constant_(parameter, value)
    repair = sb.repair(module, found(module, y=Y))
    assert repair.after.ok
    assert (module[0].weight[0] == value).all() == (value != 0)  # the first is kept if it lives
    assert (module[4].weight == value).all()


def recurrent(kind, gates):
    module = starts.Recurrent(kind)
    starts.twin_hidden_(module, gates, 1, 3)
    return module


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_hidden_units_of_recurrent_layers(kind, gates, how):
    module, inputs = recurrent(kind, gates), data(4, 6, 3)
    before = state(module)
    sb.repair(module, found(module, inputs), how=how)
    assert found(module, inputs).ok
    masks = changed(module, before)
    expected = rows(5 * gates, *range(3, 5 * gates, 5))
    for name in ("weight_ih_l0", "weight_hh_l0"):
        assert torch.equal(masks.pop(f"rnn.{name}").all(dim=1), expected)
    assert set(masks) <= {"rnn.bias_ih_l0", "rnn.bias_hh_l0"}


@pytest.mark.parametrize("how", ["redraw", "perturb"])
def test_heads_experts_and_rows_of_a_table(how):
    module: Any = starts.Attention()
    starts.twin_heads_(module.attn)
    before = state(module)
    sb.repair(module, found(module, data(4, 6, 8)), how=how)
    assert found(module, data(4, 6, 8)).ok
    second = [*range(4, 8), *range(12, 16), *range(20, 24)]  # of query, key and value
    masks = changed(module, before)
    assert torch.equal(masks["attn.in_proj_weight"], rows((24, 8), second))
    for kind in (starts.ListedExperts, starts.StackedExperts):
        module = kind(copies=True, zero_router=True)
        before = state(module)
        sb.repair(module, found(module), how=how)
        assert found(module).ok
        for name, mask in changed(module, before).items():
            assert name.startswith(("router", "experts.1", "experts.2", "up", "down"))
            if name in ("up", "down"):
                assert mask[1:].all()
                assert not mask[0].any()
    ids, y = starts.tokens()
    module = starts.Tokens(registers="zero")
    before = state(module)
    sb.repair(module, found(module, ids, y, F.cross_entropy), how=how)
    assert changed(module, before).keys() == {"register"}
    assert len(module.register[0].unique(dim=0)) == 3


def test_of_two_zero_factors_one_is_drawn():
    module = starts.LoRA(zero_a=True)
    repair = sb.repair(module, found(module, data(16, 6)))
    assert repair.after.ok
    assert module.lora_A.weight.std() > 0
    assert not module.lora_B.weight.any()


def broken(kind):
    module = starts.mlp(nn.ReLU if kind == "dead_units" else nn.Tanh)
    with torch.no_grad():
        if kind == "non_finite":
            module[0].weight[2, 1] = float("nan")
        elif kind == "uninitialized":
            module[2].weight.fill_(1e30)
        elif kind == "wrong_scale":
            module[2].weight.mul_(100)
        elif kind == "identical_tensors":
            module[2] = nn.Linear(8, 8)
            module.insert(3, copy.deepcopy(module[2]))
        elif kind == "dead_units":
            module[0].bias.fill_(-50)
    return module


KINDS = ("non_finite", "uninitialized", "wrong_scale", "identical_tensors", "dead_units")


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_and_dead_units_are_drawn_anew(kind):
    module = broken(kind)
    before, diagnosis = state(module), found(module, y=Y)
    assert kind in {f.kind for f in diagnosis.findings if f.level != "note"}
    repair = sb.repair(module, diagnosis)
    assert repair.after.ok
    assert kind not in {f.kind for f in repair.after.findings if f.level != "note"}
    masks = changed(module, before)
    if kind == "non_finite":
        assert masks.keys() == {"0.weight"}
        assert torch.equal(masks["0.weight"], rows((8, 4), (2, 1)))
    elif kind == "identical_tensors":
        assert masks.keys() == {"3.weight"}
        assert masks["3.weight"].all()
    elif kind == "wrong_scale":
        assert masks.keys() == {"2.weight"}
        assert 0.7 < module[2].weight.std() / (1.5925 / 8**0.5) < 1.3  # the gain of tanh; 64
    else:
        assert masks["0.weight" if kind == "dead_units" else "2.weight"].all()


def test_a_layer_that_a_dead_one_blocks_is_not_drawn():
    module = starts.mlp(nn.ReLU)
    module[2].bias.data.fill_(-50)
    before, diagnosis = state(module), found(module, y=Y)
    assert ("no_gradient", "0.weight") in {(f.kind, f.where) for f in diagnosis.findings}
    sb.repair(module, diagnosis)
    assert changed(module, before).keys() == {"2.weight", "2.bias"}


def test_a_parameter_of_unknown_role_keeps_its_spread():
    module = starts.StackedExperts(copies=True, zero_router=True)
    module.up.data.mul_(0.2)
    spread = module.up[0].std()
    sb.repair(module, found(module))
    assert 0.6 < module.up[1:].std() / spread < 1.4  # 48 entries


def test_what_hid_behind_nan_is_mended_too():
    module = mlp()
    with torch.no_grad():
        module[0].weight[0, 0] = float("nan")
    repair = sb.repair(module, found(module, y=Y))
    assert [(r.place, r.finding) for r in repair.rows] == [
        ("0.weight", "non_finite"),
        ("0", "identical_units"),
        ("2", "mirrored_units"),
    ]


def test_the_draw_does_not_repeat_that_of_initialize_module():
    """Unit 0 a copy of unit 3 as seed 0 drew it."""
    module = starts.mlp()
    sb.initialize_module(module, seed=0)
    drawn = module[0].weight[3].detach().clone()
    twin_(module[0], module[2], 3, 0)
    sb.repair(module, found(module, y=Y), seed=0)
    assert (module[0].weight[3] != drawn).all()


def refused(module, how, words, **options):
    before, diagnosis = state(module), found(module, y=Y)
    with pytest.raises(sb.InvalidInput, match=words):
        sb.repair(module, diagnosis, how=how, **options)
    assert not changed(module, before)


def test_what_cannot_be_repaired_is_refused_and_left_as_it_was():
    refused(broken("non_finite"), "split", "must be mended with how='redraw'. Got how='split'")
    refused(broken("dead_units"), "perturb", "must be mended with how='redraw'")
    zeros = starts.mlp()
    for parameter in zeros.parameters():
        nn.init.zeros_(parameter)
    refused(zeros, "split", r"must (be mended with|have ways in and out)")
    constant = starts.mlp()
    for parameter in constant.parameters():
        nn.init.constant_(parameter, 0.1)
    refused(constant, "redraw", r"must be clean after repair. Got still", rule="constant")
    normed = mlp()
    normed.insert(1, nn.Identity())
    normed.insert(2, nn.LayerNorm(8))
    refused(normed, "split", "read by one layer, in a Sequential .* no norm between. Got '0'")
    with pytest.raises(TypeError, match=r"diagnose\(module, ...\) returned. Got a scan of weights"):
        sb.repair(mlp(), Diagnosis(()))
    frozen = mlp()
    frozen[2].requires_grad_(False)
    refused(frozen, "split", "must be trained, not tied and not parametrized. Got 2.weight")
    tied = mlp()
    tied[4].register_parameter("again", tied[2].weight)
    refused(tied, "split", "must be trained, not tied")
    narrow = starts.mlp(width=3)
    with pytest.raises(sb.InvalidInput, match=r"diagnosis of this module. Got units .1, 4. of '0'"):
        sb.repair(narrow, found(mlp(), y=Y))
    wrong: Any = sb.repair
    with pytest.raises(TypeError, match=r"called as repair\(module, found\). Got 2"):
        wrong(mlp(), 1, 2)
    with pytest.raises(TypeError, match=r"needs a torch.nn.Module or a Network. Got int"):
        wrong(1, 2)


def test_a_sound_module_is_left_alone():
    module = starts.mlp()
    before = state(module)
    repair = sb.repair(module, found(module, y=Y))
    assert str(repair) == "Nothing to repair."
    assert not changed(module, before)


def test_who_reads_a_layer():
    module = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 4),
        nn.PReLU(4), nn.Linear(4, 4), nn.Softmax(-1), nn.Linear(4, 2),
    )  # fmt: skip
    assert reader_of(module, "0") == "4"
    assert reader_of(module, "4") is None  # one slope for each unit
    assert reader_of(module, "6") is None  # soft-max mixes units
    assert reader_of(module, "8") is None
    encoder = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16))
    assert reader_of(encoder, "0.linear1") == "0.linear2"
    assert reader_of(encoder, "0.linear2") is None


def weights_into(module, where, unit):
    """Set to NaN what `incoming` names, and return the names of the parameters."""
    finding = Finding("identical_units", "error", where, (0, unit), True, "", "")
    parts = incoming(module, finding, unit)
    with torch.no_grad():
        for part in parts:
            module.get_parameter(part.parameter)[part.index] = float("nan")
    return {part.parameter for part in parts}


def test_incoming_weights_are_those_that_the_unit_is_computed_from():
    conv: Any = nn.ConvTranspose2d(4, 6, 2, groups=2)
    assert weights_into(nn.Sequential(conv), "0", 4) == {"0.weight", "0.bias"}
    out = conv(torch.ones(1, 4, 3, 3))
    assert out.isnan().all(dim=(0, 2, 3)).tolist() == [False] * 4 + [True, False]
    assert conv.weight.isnan().sum() == 2 * 2 * 2  # two inputs of the group, four taps
    for sizes in ({}, {"kdim": 3, "vdim": 5}):
        attention = nn.MultiheadAttention(8, 2, **sizes)
        weights_into(nn.Sequential(attention), "0", 1)
        names = ["in_proj_bias"]
        names += [f"{n}_proj_weight" for n in "qkv"] if sizes else ["in_proj_weight"]
        second = ([False] * 4 + [True] * 4) * 3
        for name in names:
            values = getattr(attention, name)
            marked = values.isnan().reshape(len(values), -1).all(dim=1)
            assert marked.tolist() == second[: len(values)]
    for kind in (nn.GRUCell, nn.LSTMCell, nn.RNNCell):
        cell = kind(3, 4)
        weights_into(nn.Sequential(cell), "0", 2)
        h = cell(torch.ones(1, 3))
        h = h[0] if isinstance(h, tuple) else h
        assert h.isnan().tolist() == [[False, False, True, False]]
    lstm: Any = nn.LSTM(3, 6, proj_size=4)
    assert weights_into(nn.Sequential(lstm), "0.l0", 1) == {"0.weight_hr_l0"}
    assert lstm.weight_hr_l0.isnan().all(dim=1).tolist() == [False, True, False, False]
    with pytest.raises(sb.InvalidInput, match=r"must be a layer of torch.nn or .* Got '1'"):
        weights_into(nn.Sequential(lstm, nn.Tanh()), "1", 1)


def test_nets_go_through_the_same_door():
    net = sb.Network((3, 4, 1), "tanh", "squared_error")
    theta = torch.full((net.n_parameters,), 0.2)
    repair = sb.repair(net, theta, sb.symmetries(net, theta), how="perturb", seed=2)
    assert repair.after.effective_widths.tolist() == [[4]]
    with pytest.raises(TypeError, match=r"called as repair\(net, theta, found\). Got 1"):
        sb.repair(net, theta)  # type: ignore[call-overload]


def heads(std=None):
    """An encoder layer of four heads, of which two are one."""
    torch.manual_seed(0)
    module = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
    if std is not None:
        nn.init.normal_(module.self_attn.in_proj_weight, std=std)
    starts.twin_heads_(module.self_attn)
    return module


@pytest.mark.parametrize("std", [None, 0.05])
@pytest.mark.parametrize("rule", [None, "glorot_normal"])
def test_of_a_packed_projection_the_rows_of_the_head_alone_are_redrawn(std, rule):
    module, inputs = heads(std), data(4, 6, 32)
    before = state(module)
    repair = sb.repair(module, found(module, inputs), rule=rule)
    assert repair.after.ok
    name = "self_attn.in_proj_weight"
    wanted = rows((96, 32), *(slice(k + 8, k + 16) for k in (0, 32, 64)))
    assert torch.equal(changed(module, before)[name], wanted)
    drawn = module.self_attn.in_proj_weight.detach()[wanted]
    spread = before[name][~wanted].std() if rule is None else (2 / 64) ** 0.5
    assert 0.9 < drawn.std() / spread < 1.1  # 768 entries


def test_redrawn_units_have_the_spread_of_those_that_stay():
    torch.manual_seed(0)
    module: Any = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 2))
    with torch.no_grad():
        module[0].weight.normal_(std=0.05)
        module[0].weight[8:], module[0].bias[8:] = 0.3, 0.1
        module[2].weight[:, 8:] = 0.1
    sb.repair(module, found(module, data(32, 64)))
    assert 0.9 < module[0].weight[9:].std() / 0.05 < 1.1
