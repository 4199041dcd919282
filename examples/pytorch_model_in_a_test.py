"""A PyTorch model that cannot learn as it should, caught by a test before the long run.

Run it with `python examples/pytorch_model_in_a_test.py`, or with
`pytest examples/pytorch_model_in_a_test.py`, as one would in a project; it takes seconds.
It needs PyTorch: `pip install "symbreak[torch]"`.
"""

import torch
from torch import nn

import symbreak as sb


def batch():
    """Some rows that look like the data; the labels may be any."""
    random = torch.Generator().manual_seed(0)
    X = torch.randn(64, 20, generator=random)
    return X, torch.randint(0, 3, (64,), generator=random)


def model(*, careful):
    """A classifier; the careless one starts its second layer at one and the same number."""
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(),
                         nn.Linear(16, 3))  # fmt: skip
    if not careful:
        nn.init.constant_(made[2].weight, 0.1)
        nn.init.zeros_(made[2].bias)
        nn.init.constant_(made[4].weight, 0.1)
    return made


def test_the_start_of_our_model_is_sound():
    """This line is all that a project needs; it raises with the findings as its text."""
    sb.assert_sound_start(model(careful=True), loss=nn.CrossEntropyLoss(), batch=batch())


def test_a_careless_start_would_be_found():
    """The same check on a start that leaves sixteen units equal for ever."""
    found = sb.diagnose(model(careful=False), loss=nn.CrossEntropyLoss(), batch=batch())
    assert not found.ok
    assert "identical_units" in {finding.kind for finding in found.findings}


def test_it_can_be_mended():
    """A repair draws the equal units again, and leaves everything else as it was."""
    broken = model(careful=False)
    found = sb.diagnose(broken, loss=nn.CrossEntropyLoss(), batch=batch())
    sb.repair(broken, found)
    sb.assert_sound_start(broken, loss=nn.CrossEntropyLoss(), batch=batch())


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(f"passed: {name}")
    print("\nWhat was found in the careless start:\n")
    found = sb.diagnose(model(careful=False), loss=nn.CrossEntropyLoss(), batch=batch())
    print(found)
    sb.report(found, "careless.html")
    print("\nThe same as a page: careless.html")
