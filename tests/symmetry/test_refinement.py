"""The coarsest classes against a plain double cover in exact numbers, and their laws."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.network import Network
from symbreak.symmetry import symmetries
from symbreak.symmetry.refinement import overlapping
from symbreak.units import identical_units
from tests.symmetry.planted import relation


@st.composite
def small_nets(draw, activations=("tanh", "sigmoid"), losses=("squared_error", "cross_entropy")):
    """Weights of few values, so that symmetries of all kinds turn up by themselves."""
    hidden = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    layers = [draw(st.integers(1, 2)), *hidden, 2]
    net = Network(layers, draw(st.sampled_from(activations)), draw(st.sampled_from(losses)))
    number = st.sampled_from(
        draw(st.sampled_from([(-1, 1), (0, 1), (-1, 0, 1), (-2, -1, 0, 1, 3)]))
    )
    theta = draw(st.lists(number, min_size=net.n_parameters, max_size=net.n_parameters))
    return net, np.array(theta, dtype=float)


def by_double_cover(net, theta, by_sums):
    """The relations of all hidden layers by refinement of units and their mirrors as nodes.

    A node is (layer, unit, sign). A mirror carries the negative of all weights. A unit that is its
    own mirror is nothing, and others do not see it. Without odd activations mirrors never meet.
    """
    odd = net.activations[0].is_odd
    thetas = [[[Fraction(w) for w in row] for row in Theta.tolist()] for Theta in net.thetas(theta)]
    raw_last = thetas[-1]
    if net.loss.name == "cross_entropy":
        means = [sum(column) / len(raw_last) for column in zip(*raw_last, strict=True)]
        thetas[-1] = [[w - m for w, m in zip(row, means, strict=True)] for row in raw_last]
    last = len(net.layers) - 1
    colour: dict[Any, Any] = {}
    for layer, units in enumerate(net.layers):
        for unit in range(units):
            for sign in (1, -1):
                alone = layer in (0, last)
                kept = sign if alone or not odd else 0
                colour[layer, unit, sign] = (layer, unit if alone else 0, kept)

    def seen(node, number, edges, sums):
        found: dict[Any, Any] = {}
        for other, weight in edges:
            if colour[*other, 1] == colour[*other, -1]:
                continue
            for sign in (1, -1):
                found.setdefault(colour[*other, sign], []).append(node[2] * sign * weight)
        rule = sum if sums else (lambda values: tuple(sorted(values)))
        return sorted((key, rule(values)) for key, values in found.items()), number

    def view(node, matrices, sums):
        layer, unit, sign = node
        below = [((layer - 1, j), w) for j, w in enumerate(matrices[layer - 1][unit][1:])]
        above = [((layer + 1, k), row[1 + unit]) for k, row in enumerate(matrices[layer])]
        bias = sign * matrices[layer - 1][unit][0]
        return (*seen(node, bias, below, sums), *seen(node, 0, above, sums))

    while True:
        fresh: dict[Any, Any] = dict(colour)
        for node in colour:
            if node[0] in (0, last):
                continue
            mine = view(node, thetas, by_sums)
            mirror = view((node[0], node[1], -node[2]), thetas, by_sums)
            if not by_sums and not (odd and mine == mirror):
                # A penalty sees the last Theta as it stands; only units that are nothing do not.
                mine = view(node, [*thetas[:-1], raw_last], by_sums)
            fresh[node] = (colour[node], repr(mine))
        names = {old: number for number, old in enumerate(dict.fromkeys(fresh.values()))}
        fresh = {
            node: (node[0], names[new], 0) if 0 < node[0] < last else colour[node]
            for node, new in fresh.items()
        }
        if len(set(fresh.values())) == len(set(colour.values())):
            return colour_relations(net, colour, odd)
        colour = fresh


def colour_relations(net, colour, odd):
    relations = []
    for layer, units in list(enumerate(net.layers))[1:-1]:
        found = np.zeros((units, units), dtype=int)
        for i, j in np.ndindex(units, units):
            plus = colour[layer, i, 1] == colour[layer, j, 1]
            minus = colour[layer, i, 1] == colour[layer, j, -1]
            found[i, j] = (plus - minus) if odd else plus
        relations.append(found)
    return relations


@pytest.mark.parametrize(("update", "alpha"), [("linear", 1.0), ("elementwise", 1.0)])
@settings(max_examples=150, deadline=None)
@given(case=small_nets())
def test_classes_are_those_of_the_double_cover(update, alpha, case):
    net, theta = case
    found = symmetries(net, theta, alpha=alpha, update=update)
    expected = by_double_cover(net, theta, by_sums=update == "linear")
    for labels, signs, relations in zip(found.labels, found.signs, expected, strict=True):
        np.testing.assert_array_equal(relation(labels[0], signs[0]), relations)


@settings(max_examples=50, deadline=None)
@given(small_nets(activations=("tanh", "relu", "gelu")), st.integers(0, 9), st.booleans())
def test_renaming_the_units_renames_the_classes(case, seed, linear):
    net, theta = case
    random = np.random.default_rng(seed)
    orders = [random.permutation(units) for units in net.layers[1:-1]]
    renamed = [Theta.copy() for Theta in net.thetas(theta)]
    for layer, order in enumerate(orders):
        renamed[layer] = renamed[layer][order]
        renamed[layer + 1][:, 1:] = renamed[layer + 1][:, 1:][:, order]
    options = {"alpha": 1.0, "update": "linear" if linear else "elementwise"}
    before = symmetries(net, theta, **options)
    after = symmetries(net, net.unroll(renamed), **options)
    for layer, order in enumerate(orders):
        old = relation(before.labels[layer][0], before.signs[layer][0])
        new = relation(after.labels[layer][0], after.signs[layer][0])
        np.testing.assert_array_equal(new, old[np.ix_(order, order)])


@settings(max_examples=50, deadline=None)
@given(small_nets(), st.sampled_from([2.0**-60, 2.0**40]))
def test_the_scale_of_all_weights_does_not_matter(case, scale):
    net, theta = case
    plain, scaled = symmetries(net, theta), symmetries(net, theta * scale)
    for one, other in zip(plain.labels, scaled.labels, strict=True):
        np.testing.assert_array_equal(
            relation(one[0], one[0] + 1), relation(other[0], other[0] + 1)
        )


@settings(max_examples=50, deadline=None)
@given(small_nets())
def test_kept_by_all_is_finer_than_kept_by_linear_and_coarser_than_equal(case):
    net, theta = case
    linear = symmetries(net, theta, alpha=1.0, update="linear")
    alike = symmetries(net, theta, alpha=1.0)
    equal = identical_units(net, theta)
    for most, middle, least in zip(linear.labels, alike.labels, equal, strict=True):
        assert not ((middle[0][:, None] == middle[0]) & (most[0][:, None] != most[0])).any()
        assert not ((least[0][:, None] == least[0]) & (middle[0][:, None] != middle[0])).any()


def test_a_small_difference_between_small_weights_counts():
    """1e-20 beside 1 is as much of a difference as 1 is."""
    net = Network((1, 3, 1), "tanh", "squared_error")
    W = np.array([[0.0, 1e-20], [0.0, 2e-20], [0.0, 1.0]])
    assert symmetries(net, net.unroll([W, np.ones((1, 4))])).effective_widths.tolist() == [[3]]


def test_many_candidates_with_equal_sums_are_told_apart_by_their_multisets():
    """Rows with equal sums and equal sums of squares, 1 5 6 and 2 3 7, are no multiset."""
    net = Network((1, 3, 2, 1), "sigmoid", "squared_error")
    W2 = np.array([[0, 1, 5, 6], [0, 2, 3, 7.0]])
    start = net.unroll([np.ones((3, 2)), W2, np.ones((1, 3))])
    assert symmetries(net, start, alpha=1.0).effective_widths[0, 1] == 2


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(-20, 20), st.sampled_from([0.4, 1.2, 6.3])),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_overlapping_joins_what_a_chain_of_touching_intervals_joins(rows):
    labels, centres, widths = (np.array(column)[None] for column in zip(*rows, strict=True))
    found = overlapping(labels, centres.astype(float), widths.astype(float))[0]
    touches = (
        (np.abs(centres[0][:, None] - centres[0]) <= widths[0][:, None] + widths[0])
        & (labels[0][:, None] == labels[0])
    )  # fmt: skip
    reach = touches.astype(float)
    for _ in rows:
        reach = np.sign(reach @ reach)
    np.testing.assert_array_equal(found[:, None] == found, reach > 0)
