"""What a training asks for: facts in, records of advice out, the most urgent first.

    lost_starts        starts diverged, or began where J is not finite
    never_lower        no start came below its first J
    no_patience        early stopping ended every start at once
    constant_network   it predicts the same for every row: never a success
    unscaled_inputs    columns of X lie orders of magnitude apart, or far from 0
    overfitting        much better on training rows than on held-out rows, and it costs
    underfitting       the penalty is a good part of J and leaves one minimum for all starts
    linear_as_good     without a hidden layer it is as good, or better
    few_rows           so few rows give the score that it tells little
    not_converged      the lowest J has not converged, and nothing stands against going on
                       (a penalty that was chosen is the best for so many iterations)
    more_starts        nothing else, the lowest J was reached once, and new values are likely

A rule reads `Facts` and nothing else. Differences of losses count where they are above their noise
(`symbreak.training.comparison`); other thresholds stand with the rules. What to do is a word of
`symbreak.training.remedies`.
"""

from __future__ import annotations

from symbreak.training import advice_on_fit as fit
from symbreak.training import advice_on_search as search
from symbreak.training.advised import Advice, Facts

_RULES = (
    search.lost_starts, search.never_lower, search.no_patience, fit.constant_network,
    fit.unscaled_inputs, fit.overfitting, fit.underfitting, fit.linear_as_good, fit.few_rows,
)  # fmt: skip
# To go on with these makes a network worse, or no better.
_ENDED = {"never_lower", "constant_network", "overfitting"}


def advice(facts: Facts) -> list[Advice]:
    """Return what the facts ask for; on convergence last, and not where going on does harm."""
    found = [one for rule in _RULES if (one := rule(facts)) is not None]
    ending = search.not_converged(facts)
    if ending is not None and not _ENDED & {one.kind for one in found}:
        found.append(ending)
    more = search.more_starts(facts)
    return [more] if more is not None and not found else found
