"""Groups of agreeing rows, against all pairs."""

import torch

from symbreak.modules.diagnosis.agreement import agreeing_groups, still_agreeing


def rows(n, samples, seed=0, dtype=torch.float64):
    return torch.randn(n, samples, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_planted_groups_with_signs_and_zero_units():
    a, d = rows(40, 30), rows(40, 30, 1) * 1e-8
    for i, j, sign in ((3, 17, 1.0), (3, 30, -1.0), (5, 6, -1.0)):
        a[j], d[j] = sign * a[i], sign * d[i]
    a[9] = a[10]  # equal activations alone
    for unit in (20, 25):
        a[unit] = d[unit] = 0.0
    expected = (((3, 1), (17, 1), (30, -1)), ((5, 1), (6, -1)), ((20, 1), (25, 1)))
    assert agreeing_groups((a, d), 1e-10) == expected


def test_tolerance_is_relative_to_the_unit():
    a = rows(6, 50) * torch.tensor([1, 1, 1e-6, 1e-6, 1e-6, 1])[:, None]
    a[3] = a[2] * (1 + 1e-7)
    a[4] = a[2] * (1 + 1e-3)
    assert agreeing_groups((a,), 1e-5) == (((2, 1), (3, 1)),)


def test_many_units_are_grouped_as_by_all_pairs():
    a = rows(2000, 20, dtype=torch.float32)
    a[1500:1600] = a[100:200]
    groups = agreeing_groups((a,), 2e-5)
    assert groups == tuple(((k, 1), (k + 1400, 1)) for k in range(100, 200))


def test_a_group_falls_into_the_parts_that_still_agree():
    a = rows(5, 20)
    a[1], a[2], a[4] = -a[0], a[0], -a[3]
    group = ((0, 1), (1, -1), (2, 1), (3, 1), (4, -1))
    assert still_agreeing(group, (a,), 1e-10) == (((0, 1), (1, -1), (2, 1)), ((3, 1), (4, -1)))
    assert still_agreeing(((0, 1), (1, 1)), (a,), 1e-10) == ()


def test_small_units_are_not_equal_beside_a_large_one():
    a = rows(3, 50)
    a[0] *= 1e-6
    a[1] = a[0] * (1 + 1e-3)
    assert still_agreeing(((0, 1), (1, 1), (2, 1)), (a,), 1e-5) == ()


def test_what_rounding_leaves_of_zero_is_zero():
    a = rows(4, 50)
    a[1:3] *= 1e-16
    assert agreeing_groups((a,), 1e-10) == (((1, 1), (2, 1)),)
