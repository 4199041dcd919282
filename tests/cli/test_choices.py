"""The names in the help are those of the library's registries, all of them and in their order."""

from __future__ import annotations

from symbreak.activations import ACTIVATIONS
from symbreak.cli import choices
from symbreak.initialization.rules import BY_NAME
from symbreak.losses import LOSSES
from symbreak.optimize.methods import METHODS, methods_taking
from symbreak.tables.datasets import DATASETS


def names(is_wanted):
    return tuple(word for word, one in METHODS.items() if word == one.name and is_wanted(one))


def with_aliases(name):
    aliases = METHODS[name].aliases
    return f"{name} (or {choices.listed(aliases)})" if aliases else name


def test_activations_losses_rules_and_data_sets():
    assert tuple(ACTIVATIONS) == choices.ACTIVATIONS
    assert tuple(LOSSES) == choices.LOSSES
    assert tuple(BY_NAME) == choices.RULES
    assert tuple(DATASETS) == choices.DATASETS


def test_methods_by_what_they_see_and_how_they_update():
    on_all = names(lambda one: not one.is_on_minibatches)
    assert tuple(map(with_aliases, on_all)) == choices.ON_ALL_EXAMPLES
    assert names(lambda one: one.is_on_minibatches) == choices.ON_BATCHES
    assert names(lambda one: one.update == "elementwise") == choices.ELEMENTWISE


def test_methods_that_take_the_options_of_the_command():
    assert tuple(methods_taking("learning_rate")) == choices.WITH_LEARNING_RATE
    assert tuple(methods_taking("momentum")) == choices.WITH_MOMENTUM
    assert {METHODS[name].options["momentum"] for name in choices.WITH_MOMENTUM} == {0.9}


def test_words_are_listed_as_in_a_sentence():
    assert choices.listed(["a"]) == "a"
    assert choices.listed(["a", "b", "c"], b="the usual one") == "a, b (the usual one) or c"
    assert choices.listed(["a", "b"], "and") == "a and b"
