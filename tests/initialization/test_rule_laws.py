"""Entrywise rules: the law of weights and biases, layer by layer, within sampling error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from symbreak.errors import InvalidInput, InvalidType
from symbreak.initialization import rules
from symbreak.initialization.gains import activation_gain
from symbreak.initialization.shapes import LayerShape
from symbreak.initialization.simple import std_after_cut
from symbreak.initialization.streams import Stream

FIRST = LayerShape(30, 20, "tanh", None)
MIDDLE = LayerShape(8, 40, "sigmoid", "relu")
OUTPUT = LayerShape(40, 3, None, "sigmoid")
ONLY = LayerShape(12, 5, None, None)
LAYERS = {"first": FIRST, "middle": MIDDLE, "output": OUTPUT, "only": ONLY}
STARTS = range(200)


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def truncated(std, cut):
    free = stats.truncnorm(-cut, cut)
    return stats.truncnorm(-cut, cut, scale=std / free.std())


# Every law is written here from its source, with plain numbers of units: n in, k out.
WEIGHT_LAWS = {
    rules.Uniform(0.3): lambda _n, _k: uniform(0.3),
    rules.Normal(0.7): lambda _n, _k: stats.norm(0, 0.7),
    rules.TruncatedNormal(0.7): lambda _n, _k: truncated(0.7, 2.0),
    rules.TruncatedNormal(0.7, cut=0.5): lambda _n, _k: truncated(0.7, 0.5),
    rules.GlorotUniform(): lambda n, k: uniform(math.sqrt(6 / (n + k))),
    rules.GlorotUniform(gain=3.0): lambda n, k: uniform(3 * math.sqrt(6 / (n + k))),
    rules.GlorotNormal(): lambda n, k: stats.norm(0, math.sqrt(2 / (n + k))),
    rules.HeUniform(): lambda n, _k: uniform(math.sqrt(6 / n)),
    rules.HeNormal(): lambda n, _k: stats.norm(0, math.sqrt(2 / n)),
    rules.LecunUniform(): lambda n, _k: uniform(math.sqrt(3 / n)),
    rules.LecunNormal(): lambda n, _k: stats.norm(0, math.sqrt(1 / n)),
    rules.TorchDefault(): lambda n, _k: uniform(1 / math.sqrt(n)),
}
BIASES_LIKE_WEIGHTS = (rules.Uniform, rules.TorchDefault, rules.SklearnDefault)
laws = pytest.mark.parametrize("rule", WEIGHT_LAWS, ids=repr)
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def draw(rule, layer, seed=3):
    theta = rule.draw(layer, Stream(seed, "Theta1", STARTS))
    assert theta.shape == (len(STARTS), layer.units_out, 1 + layer.units_in)
    assert theta.dtype == np.float64
    return theta


def assert_follows(sample, law):
    """Distribution, mean, spread and bounds, each within its sampling error."""
    sample = sample.ravel()
    mean, variance, excess = law.stats("mvk")
    assert stats.kstest(sample, law.cdf).pvalue > 1e-4
    assert abs(sample.mean() - mean) < 5 * math.sqrt(variance / sample.size)
    error = 5 * math.sqrt((excess + 2) / sample.size)
    assert abs(sample.var() / variance - 1) < error
    low, high = law.support()
    assert low <= sample.min()
    assert sample.max() <= high


@laws
@layers
def test_weights_follow_the_law(rule, layer):
    weights = draw(rule, layer)[..., 1:]
    assert_follows(weights, WEIGHT_LAWS[rule](layer.units_in, layer.units_out))


@laws
@layers
def test_biases_follow_the_law_or_are_zero(rule, layer):
    bias = draw(rule, layer)[..., 0]
    if isinstance(rule, BIASES_LIKE_WEIGHTS):
        assert_follows(bias, WEIGHT_LAWS[rule](layer.units_in, layer.units_out))
    else:
        assert not bias.any()


@pytest.mark.parametrize(
    ("layer", "factor"),
    [
        (LayerShape(9, 7, "sigmoid", None), 2),
        (LayerShape(9, 7, "tanh", None), 6),
        (LayerShape(9, 7, None, "sigmoid"), 2),
        (LayerShape(9, 7, None, "relu"), 6),
        (LayerShape(9, 7, "tanh", "sigmoid"), 6),
        (LayerShape(9, 7, None, None), 6),
    ],
)
def test_sklearn_default_goes_by_the_hidden_activation(layer, factor):
    theta = draw(rules.SklearnDefault(), layer)
    assert_follows(theta, uniform(math.sqrt(factor / 16)))
    assert_follows(theta[..., 0], uniform(math.sqrt(factor / 16)))


@pytest.mark.parametrize("rule", [rules.Zeros(), rules.Constant(0.4), rules.Constant(0)], ids=repr)
@layers
def test_zeros_and_constant(rule, layer):
    assert np.all(draw(rule, layer) == getattr(rule, "value", 0.0))
    assert rule.symmetric


def test_only_zeros_and_constant_are_symmetric():
    assert [name for name, rule in rules.BY_NAME.items() if rule().symmetric] == [
        "zeros",
        "constant",
    ]


@pytest.mark.parametrize(
    "family",
    [
        rules.GlorotUniform,
        rules.GlorotNormal,
        rules.HeUniform,
        rules.HeNormal,
        rules.LecunUniform,
        rules.LecunNormal,
        rules.Orthogonal,
    ],
)
def test_the_gain_of_the_activation_is_that_of_the_values_read(family):
    ones = draw(family(gain=1.0), MIDDLE)
    assert np.allclose(
        draw(family(gain="activation"), MIDDLE), ones * activation_gain("relu"), rtol=1e-14
    )
    first = draw(family(gain=1.0), FIRST)
    assert np.array_equal(draw(family(gain="activation"), FIRST), first)


@pytest.mark.parametrize("cut", [0.1, 0.5, 2.0, 5.0, 30.0])
def test_std_after_the_cut_is_that_of_the_law(cut):
    assert std_after_cut(cut) == pytest.approx(stats.truncnorm(-cut, cut).std(), rel=1e-9)


def test_the_well_known_number_of_a_cut_at_two():
    assert std_after_cut(2.0) == pytest.approx(0.87962566103423978, rel=1e-13)


RANDOM_BIAS = (
    rules.Uniform,
    rules.Normal,
    rules.TruncatedNormal,
    rules.GlorotUniform,
    rules.HeNormal,
    rules.Orthogonal,
    rules.TorchDefault,
    rules.SklearnDefault,
)


@pytest.mark.parametrize("rule", RANDOM_BIAS)
def test_a_number_or_another_rule_for_the_biases(rule):
    plain = draw(rule(), MIDDLE)
    fixed = draw(rule(bias=0.25), MIDDLE)
    drawn = draw(rule(bias=rules.Normal(0.1)), MIDDLE)
    assert np.all(fixed[..., 0] == 0.25)
    assert_follows(drawn[..., 0], stats.norm(0, 0.1))
    assert np.array_equal(fixed[..., 1:], plain[..., 1:])
    assert np.array_equal(drawn[..., 1:], plain[..., 1:])


def test_none_draws_the_biases_like_the_weights():
    assert_follows(draw(rules.HeNormal(bias=None), MIDDLE)[..., 0], stats.norm(0, 0.5))


REFUSED = [
    (lambda: rules.Uniform(0), r"epsilon of Uniform must be a positive number. Got 0\."),
    (lambda: rules.Uniform(-0.1), "epsilon of Uniform must be"),
    (lambda: rules.Uniform(math.nan), "Got nan"),
    (lambda: rules.Uniform(math.inf), "Got inf"),
    (lambda: rules.Uniform("0.1"), "Got '0.1'"),
    (lambda: rules.Uniform(True), "Got True"),
    (lambda: rules.Normal(0.0), "std of Normal must be"),
    (lambda: rules.TruncatedNormal(-1), "std of TruncatedNormal must be"),
    (lambda: rules.TruncatedNormal(cut=0.01), r"cut of TruncatedNormal .* at least 0.1. Got 0.01"),
    (lambda: rules.TruncatedNormal(cut=math.inf), "cut of TruncatedNormal"),
    (lambda: rules.Constant(math.inf), "value of Constant must be a finite number. Got inf"),
    (lambda: rules.HeNormal(gain=0), "gain of HeNormal must be"),
    (lambda: rules.Orthogonal(gain="relu"), "gain of Orthogonal must be"),
    (lambda: rules.HeNormal(bias=math.nan), "bias of HeNormal must be a finite number. Got nan"),
    (lambda: rules.TorchDefault(bias=math.inf), "bias of TorchDefault"),
    (lambda: rules.SklearnDefault(bias=[0.0]), "bias of SklearnDefault"),
    (lambda: rules.Orthogonal(bias=None), "bias of Orthogonal must be a number or a rule"),
]


@pytest.mark.parametrize(("make", "text"), REFUSED)
def test_bad_parameters_are_refused(make, text):
    with pytest.raises(InvalidInput, match=text):
        make()


@pytest.mark.parametrize("bias", [rules.Orthogonal(), rules.Uniform, "uniform"], ids=repr)
@pytest.mark.parametrize("rule", [rules.Uniform, rules.GlorotNormal, rules.Orthogonal])
def test_a_bias_must_be_a_number_or_an_entrywise_rule(rule, bias):
    with pytest.raises(InvalidType, match=f"bias of {rule.__name__} must be a number, None or"):
        rule(bias=bias)
