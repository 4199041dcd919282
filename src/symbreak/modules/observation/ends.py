"""Where the derivative of J enters the units of a module: the edges of J's graph to disturb there.

Walking back from J, an end is what the module gave out; where the loss is computed within the
module, or none of its parts was called, it is the output of the last layer that has parameters.
What lies before an end is the loss: it is passed over, as scalars are, and what only parameters
made (a penalty). Where it sums an activation over some axes, the sum is the end, since such a sum
may treat all units alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

Node = Any  # of autograd; its kinds are made in C++ and have no name in Python
Deltas = tuple[Tensor | None, ...]
_LAYERS = (
    "Addmm", "Addmv", "Addbmm", "Baddbmm", "Bmm", "Convolution", "Cudnn", "Embedding", "Fused",
    "GroupedMm", "Linear", "Miopen", "Mkldnn", "Mm", "Mv", "Native", "SlowConv", "Thnn",
)  # fmt: skip
_ACTIVATIONS = (
    "Elu", "Gelu", "Hardtanh", "LeakyRelu", "Mish", "Relu", "Sigmoid", "Silu", "Softplus", "Tanh",
)  # fmt: skip
_DEEPEST = 8  # steps from a layer to the parameter that it takes: masks, norms, casts of a weight


def disturb_ends(
    J: Tensor,
    module: nn.Module,
    given_out: Callable[[Node], bool],
    disturbed: Callable[[Tensor], Tensor],
) -> bool:
    """Have the derivatives that come to the ends changed; tell whether there is an end.

    Parameters
    ----------
    J : the loss, before its backward pass.
    module : whose parameters are meant.
    given_out : whether a node made something that the module, or a part of it, gave out.
    disturbed : what a derivative becomes.
    """
    ends = _Ends({id(p) for p in module.parameters()}, given_out)
    ends.walk(J.grad_fn)
    for node, places in ends.edges.values():

        def hook(inward: Deltas, _outward: Deltas, places: set[int] = places) -> Deltas:
            return tuple(
                d if d is None or k not in places else disturbed(d) for k, d in enumerate(inward)
            )

        node.register_hook(hook)
    return bool(ends.edges)


class _Ends:
    """One walk; an edge is a node and the place of one of its sources."""

    def __init__(self, parameters: set[int], given_out: Callable[[Node], bool]) -> None:
        self.edges: dict[int, tuple[Node, set[int]]] = {}
        self._parameters, self._given_out = parameters, given_out

    def walk(self, last: Node) -> None:
        """Collect the edges into ends."""
        waiting: list[tuple[Node, tuple[Node, int] | None]] = [(last, None)]
        seen = {id(last)}
        while waiting:
            node, summed = waiting.pop()
            for place, source in _sources(node):
                if self._is_end(source):
                    self._add((node, place))
                elif summed and source.name().startswith(_ACTIVATIONS):
                    self._add(summed)
                elif id(source) not in seen and not self._is_parameter(source):
                    seen.add(id(source))
                    sums = _size(source) > 1 and any(
                        _size(each) > _size(source) for _, each in _sources(source)
                    )
                    waiting.append((source, summed or ((node, place) if sums else None)))

    def _add(self, edge: tuple[Node, int]) -> None:
        self.edges.setdefault(id(edge[0]), (edge[0], set()))[1].add(edge[1])

    def _is_end(self, node: Node) -> bool:
        if _is_leaf(node) or not _shape(node):
            return False
        return self._given_out(node) or (
            node.name().startswith(_LAYERS)
            and any(self._comes_to_parameter(source) for _, source in _sources(node))
        )

    def _comes_to_parameter(self, node: Node, deep: int = 0) -> bool:
        """Tell whether a parameter is on the way without a layer in between."""
        if _is_leaf(node):
            return id(node.variable) in self._parameters
        if deep == _DEEPEST or node.name().startswith(_LAYERS):
            return False
        return any(self._comes_to_parameter(source, deep + 1) for _, source in _sources(node))

    def _is_parameter(self, node: Node) -> bool:
        """Tell whether it is a parameter, or made of one alone."""
        if _is_leaf(node):
            return True
        sources = [source for source, _ in node.next_functions]
        return bool(sources) and all(s is not None and _is_leaf(s) for s in sources)


def _sources(node: Node) -> list[tuple[int, Node]]:
    return [(k, source) for k, (source, _) in enumerate(node.next_functions) if source is not None]


def _is_leaf(node: Node) -> bool:
    return hasattr(node, "variable")


def _shape(node: Node) -> tuple[int, ...]:
    """Return the shape of what a node made, the first thing of several."""
    return tuple(node.variable.shape if _is_leaf(node) else node._input_metadata[0].shape)


def _size(node: Node) -> int:
    return math.prod(_shape(node))
