"""Programs and tables that the tests of `symbreak check-gradient` write into their folder."""

from __future__ import annotations

PROGRAM = """
import sys
from dataclasses import dataclass

import torch
from torch.nn import Dropout, Linear, Module, Sequential, Tanh
from torch.nn.functional import mse_loss

import helper

@dataclass
class Sizes:
    inputs: "int" = helper.INPUTS
    outputs: int = 2

assert Sizes.__annotations__ == {"inputs": "int", "outputs": int}

class Cube(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(context, inputs, output):
        context.save_for_backward(*inputs)

    @staticmethod
    def backward(context, g):
        (x,) = context.saved_tensors
        return FACTOR * g * x**2

FACTOR = 3

class Cubes(Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Linear(Sizes().inputs, 6), Linear(6, 2)

    def forward(self, x):
        return self.second(Cube.apply(self.first(x)))

def batch():
    stream = torch.Generator().manual_seed(0)
    return torch.randn(40, 4, generator=stream), torch.randn(40, 2, generator=stream)

def right():
    torch.manual_seed(0)
    return Cubes(), mse_loss, batch()

def wrong():
    global FACTOR
    FACTOR = 2
    return right()

def random():
    torch.manual_seed(0)
    return [Sequential(Linear(4, 6), Dropout(0.5), Linear(6, 2)), mse_loss, batch()]

def named():
    torch.manual_seed(0)
    return {"module": Linear(4, 2), "loss": mse_loss, "batch": batch()}

def loss_of(module, batch):
    return mse_loss(module(batch["X"]), batch["y"])

def stepped():
    torch.manual_seed(0)
    return {"module": Linear(4, 2), "step": loss_of, "batch": dict(zip("Xy", batch()))}

def misfit():
    return Linear(3, 2), mse_loss, batch()

def late():
    def loss(output, y):
        import helper_of_later
        return mse_loss(output, y) * helper_of_later.ONE
    return Linear(4, 2), loss, batch()

def raises():
    raise ValueError("no\\n  such thing")

def wordless():
    deeper()

def deeper():
    raise RuntimeError

def leaves():
    sys.exit("I leave")

def no_module():
    return 1, mse_loss, batch()

def no_loss():
    return Linear(4, 2), mse_loss

def no_step():
    return {"module": Linear(4, 2), "batch": batch()}

def needs(something):
    return something

def infinite():
    return Linear(4, 2), lambda output, y: output.sum() / 0, batch()

NUMBER = 3
"""
FILES = {
    "mine.py": PROGRAM,
    "helper.py": "INPUTS = 4\n",
    "helper_of_later.py": "ONE = 1\n",
    "broken.py": "x = 1\nif x\n",
    "failing.py": "import helper\n\nraise KeyError('gone')\n",
    "good.csv": "x,color,kind,price\n" + "1.5,red,a,3\n2.5,green,b,4.5\n0.5,red,a,6\n" * 30,
    "other.csv": "x,color,kind,price\n" + "1.5,red,c,3\n" * 3,
    "bare.csv": "x,color\n1.5,red\n",
}


def line_of(words: str) -> int:
    """Return the line of the program that holds these words."""
    return PROGRAM[: PROGRAM.index(words)].count("\n") + 1


# Words of the command, and what is said of the program.
BAD_PROGRAMS = [
    (("mine.py:rihgt",), "Got nothing of that name. Did you mean 'right'?"),
    (("mine.py:NUMBER",), "'NUMBER' of 'mine.py' must be a function. Got int."),
    (("broken.py:f",), "'broken.py' must run without an error. Got SyntaxError: "),
    (("failing.py:f",), "Got KeyError: 'gone' (line 3)."),
    (("mine.py:raises",), f"Got ValueError: no such thing (line {line_of('raise ValueE')})."),
    (
        ("mine.py:wordless",),
        f"wordless() of 'mine.py' must return module, loss and batch. "
        f"Got RuntimeError (line {line_of('raise RuntimeE')}).",
    ),
    (("mine.py:leaves",), f"Got SystemExit: I leave (line {line_of('sys.exit')})."),
    (("mine.py:needs",), "missing 1 required positional argument: 'something'."),
    (
        ("mine.py:misfit",),
        "What misfit() of 'mine.py' returns must compute J and its "
        "gradient. Got RuntimeError: mat1 and mat2 shapes",
    ),
    (("mine.py:no_module",), "module must be a torch.nn.Module. Got int."),
    (("mine.py:no_loss",), "no_loss() must return (module, loss, batch), or a dictionary"),
    (("mine.py:no_loss",), "Got tuple of 2."),
    (("mine.py:no_step",), "Got dict with the keys module, batch."),
    (("mine.py:infinite",), "J of check_gradient must be finite at theta."),
    (("mine.py:stepped", "--rows", "5"), "--rows must come with a loss and with X and y"),
]
