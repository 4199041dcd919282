"""A call of torch is the same call, whether its arguments come by place or by name."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from symbreak.modules.observation.arguments import arguments_of, recurrent_arguments, with_argument
from symbreak.modules.observation.observe import observe


def numbers(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Called(nn.Module):
    """Calls a function on x and its parameters."""

    def __init__(self, call, **shapes):
        super().__init__()
        self.call = call
        for k, (name, shape) in enumerate(shapes.items()):
            self.register_parameter(name, nn.Parameter(numbers(*shape, seed=k + 2)))

    def forward(self, x):
        return self.call(self, x)


W, B, CHANNELS = {"w": (4, 3)}, {"b": (4,)}, {"w": (4, 3, 2)}
TABLE, STACK = {"w": (7, 4)}, {"b": (2, 5, 4), "w": (2, 3, 4)}
CELL = {"w_ih": (12, 3), "w_hh": (12, 4), "b_ih": (12,), "b_hh": (12,)}
ROWS, IMAGE = numbers(5, 3), numbers(5, 3, 6)
TOKENS = torch.tensor([[0, 3], [6, 1]])
FORMS = {
    "linear": (ROWS, W | B, lambda m, x: F.linear(x, m.w, m.b), [
        lambda m, x: F.linear(x, weight=m.w, bias=m.b),
        lambda m, x: F.linear(bias=m.b, weight=m.w, input=x)]),
    "conv1d": (IMAGE, CHANNELS | B, lambda m, x: F.conv1d(x, m.w, m.b), [
        lambda m, x: F.conv1d(x, weight=m.w, bias=m.b),
        lambda m, x: F.conv1d(bias=m.b, weight=m.w, input=x)]),
    "conv2d": (numbers(2, 3, 4, 4), {"w": (4, 3, 2, 2)}, lambda m, x: F.conv2d(x, m.w), [
        lambda m, x: F.conv2d(weight=m.w, input=x, padding=0)]),
    "conv_transpose1d": (IMAGE, {"w": (3, 4, 2)}, lambda m, x: F.conv_transpose1d(x, m.w), [
        lambda m, x: F.conv_transpose1d(weight=m.w, input=x)]),
    "matmul": (ROWS, {"w": (3, 4)}, lambda m, x: torch.matmul(x, m.w), [
        lambda m, x: torch.matmul(x, other=m.w), lambda m, x: torch.matmul(other=m.w, input=x),
        lambda m, x: x.matmul(other=m.w), lambda m, x: torch.matmul(**{"a": x, "x2": m.w})]),  # noqa: PIE804
    "matmul on the left": (ROWS, W, lambda m, x: torch.matmul(m.w, x.T), [
        lambda m, x: torch.matmul(other=x.T, input=m.w)]),
    "mm": (ROWS, {"w": (3, 4)}, lambda m, x: torch.mm(x, m.w), [
        lambda m, x: torch.mm(x, mat2=m.w), lambda m, x: torch.mm(mat2=m.w, input=x)]),
    "addmm": (ROWS, B | {"w": (3, 4)}, lambda m, x: torch.addmm(m.b, x, m.w), [
        lambda m, x: torch.addmm(m.b, mat1=x, mat2=m.w),
        lambda m, x: torch.addmm(mat1=x, mat2=m.w, input=m.b, beta=1)]),
    "bmm": (numbers(2, 5, 3), {"w": (2, 3, 4)}, lambda m, x: torch.bmm(x, m.w), [
        lambda m, x: torch.bmm(mat2=m.w, input=x)]),
    "baddbmm": (numbers(2, 5, 3), STACK, lambda m, x: torch.baddbmm(m.b, x, m.w), [
        lambda m, x: torch.baddbmm(batch1=x, batch2=m.w, input=m.b)]),
    "einsum": (ROWS, W, lambda m, x: torch.einsum("bi,oi->bo", x, m.w), [
        lambda m, x: torch.einsum("bi,oi->bo", [x, m.w])]),
    "embedding": (TOKENS, TABLE, lambda m, x: F.embedding(x, m.w), [
        lambda m, x: F.embedding(weight=m.w, input=x), lambda m, x: torch.embedding(m.w, x),
        lambda m, x: torch.embedding(indices=x, weight=m.w)]),
    "relu": (ROWS, W, lambda m, x: F.linear(x, m.w).relu(), [
        lambda m, x: torch.relu(input=F.linear(x, m.w)),
        lambda m, x: F.relu(inplace=False, input=F.linear(x, m.w))]),
    "dropout": (ROWS, W, lambda m, x: F.dropout(F.linear(x, m.w), 0.5).tanh(), [
        lambda m, x: F.dropout(p=0.5, input=F.linear(x, m.w)).tanh(),
        lambda m, x: torch.dropout(train=True, p=0.5, input=F.linear(x, m.w)).tanh()]),
    "gru cell": (ROWS, CELL, lambda m, x: torch.gru_cell(x, x.new_zeros(5, 4), *m.parameters()), [
        lambda m, x: torch.gru_cell(**dict(m.named_parameters()), hx=x.new_zeros(5, 4), input=x)]),
}  # fmt: skip


def seen(call, shapes, x):
    observed = observe(Called(call, **shapes), lambda m, b: m(b).square().mean(), x)
    sites = {(s.kind, s.name): (s.activations, s.deltas, s.parameters) for s in observed.sites}
    calls = [(c.function, c.before, c.site) for c in observed.calls]
    return sites, calls, [p.role for p in observed.parameters], observed.breakers


@pytest.mark.parametrize("form", FORMS)
def test_arguments_by_name_are_seen_as_those_by_place(form):
    x, shapes, by_place, others = FORMS[form]
    sites, calls, roles, breakers = seen(by_place, shapes, x)
    assert sites
    for other in others:
        found, found_calls, found_roles, found_breakers = seen(other, shapes, x)
        assert found.keys() == sites.keys()
        for key, (activations, deltas, parameters) in sites.items():
            torch.testing.assert_close(found[key][0], activations)
            torch.testing.assert_close(found[key][1], deltas)
            assert found[key][2] == parameters
        assert [c[::2] for c in found_calls] == [c[::2] for c in calls]
        assert (found_roles, found_breakers) == (roles, breakers)


def test_attention_by_name():
    q = numbers(2, 2, 5, 4)
    step = lambda m, x: m(x).square().mean()  # noqa: E731

    def call(m, x):
        return F.scaled_dot_product_attention(value=x, key=x, query=m.w * x, dropout_p=0.5)

    observed = observe(Called(call, w=(4,)), step, q)
    assert [s.kind for s in observed.sites if s.kind == "attention heads"] == ["attention heads"]
    assert observed.breakers == ("dropout 0.5 of attention",)


@pytest.mark.parametrize("packed", [False, True])
def test_recurrent_calls_by_name(packed):
    x, weights = numbers(5, 3), [numbers(8, 3), numbers(8, 4)]
    h = (numbers(1, 2), numbers(1, 2))
    switches = {"has_biases": False, "num_layers": 1, "dropout": 0.0, "train": True}
    rest = {"hx": h, "params": weights, **switches, "bidirectional": False}
    if packed:
        given = {"data": x, "batch_sizes": torch.ones(5, dtype=torch.long), **rest}
    else:
        given = {"input": x, **rest, "batch_first": True}
    by_place = recurrent_arguments(tuple(given.values()), {})
    mixed = recurrent_arguments(
        tuple(given.values())[:2], {k: given[k] for k in list(given)[:1:-1]}
    )
    by_name = recurrent_arguments((), {k: given[k] for k in reversed(given)})
    for found in (by_place, mixed, by_name):
        assert list(found) == list(given)
        assert all(found[name] is given[name] for name in given)


def test_one_argument_is_replaced_where_it_stands():
    args, kwargs = with_argument(F.dropout, (1, 0.5), {"training": True}, "p", 0.0)
    assert (args, kwargs) == ((1, 0.0), {"training": True})
    args, kwargs = with_argument(F.dropout, (1,), {"p": 0.5}, "p", 0.0)
    assert (args, kwargs) == ((1,), {"p": 0.0})
    attention = F.scaled_dot_product_attention
    args, kwargs = with_argument(attention, (1, 2, 3, None, 0.5), {}, "dropout_p", 0.0)
    assert (args, kwargs) == ((1, 2, 3, None, 0.0), {})


def test_the_first_argument_of_what_has_no_signature_is_the_input():
    assert arguments_of(torch.Tensor.__pow__, (3, 2), {}) == {"input": 3, "1": 2}
