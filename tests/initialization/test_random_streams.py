"""The streams: words as documented, frozen for ever, and independent of everything around them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from symbreak.initialization.streams import Stream

MASK = 2**64 - 1
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
ROUNDS = 10

seeds = st.integers(0, 2**100)
names = st.sampled_from(["Theta1", "Theta2", "Theta10", "Theta1.extra"])


def philox(key: int, counter: int) -> list[int]:
    """Philox4x64-10 from its definition (Salmon et al. 2011, section 3.3): a second witness."""
    c = [(counter >> (64 * i)) & MASK for i in range(4)]
    k = [(key >> (64 * i)) & MASK for i in range(2)]
    for _ in range(ROUNDS):
        first, second = MULTIPLIERS[0] * c[0], MULTIPLIERS[1] * c[2]
        left, right = (second >> 64) ^ c[1] ^ k[0], (first >> 64) ^ c[3] ^ k[1]
        c = [left, second & MASK, right, first & MASK]
        k = [(k[0] + WEYL[0]) & MASK, (k[1] + WEYL[1]) & MASK]
    return c


def documented_word(seed: int, name: str, start: int, entry: int) -> int:
    """The word of one entry, straight from the text at the top of `streams`."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    counter = start * 2**192 + 1 + entry // 4
    return philox(int.from_bytes(digest, "little"), counter)[entry % 4]


def test_the_witness_gives_the_published_known_answer():
    # Random123's known answer for key 0 and counter 0.
    answer = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox(0, 0) == answer


# Made once by `documented_word` above, in plain Python integers. They must never change: stored
# seeds would mean other starts.
FROZEN = {
    (0, "Theta1", 0): {
        0: 0xD6577C59F6D31257,
        1: 0xF01767B9954A249C,
        4: 0xAA58C3C8F81DB3CF,
        1000: 0x77FD96B042B9669D,
    },
    (0, "Theta1", 7): {
        0: 0xAD2EFCB9216C1261,
        1: 0x86E940119CBB9A7A,
        4: 0xB4269C308BFDAC0F,
        1000: 0xF8FB4003D39BD859,
    },
    (0, "Theta2", 0): {
        0: 0x9F9AC2144C493581,
        1: 0x2B01CAD71788001A,
        4: 0x4EC0F33F9951F836,
        1000: 0x94792CEA11B0E668,
    },
    (2**70, "Theta1", 3): {
        0: 0x0596EE5FF7719B61,
        1: 0x5B9CDC9649F449AF,
        4: 0xB22450D7330E014F,
        1000: 0xB6B552FFC5BC2CB4,
    },
    (1, "Theta10.extra", 2**63): {
        0: 0x1FECDE673A113898,
        1: 0xC69C18210692DA1C,
        4: 0xC985786DB6AC36B9,
        1000: 0x93CB346B230D7A72,
    },
}


@pytest.mark.parametrize(("seed", "name", "start"), FROZEN)
def test_words_are_the_frozen_ones(seed, name, start):
    words = Stream(seed, name, (start,)).words((1001,))[0]
    frozen = FROZEN[seed, name, start]
    assert {entry: int(words[entry]) for entry in frozen} == frozen


@given(seeds, names, st.integers(0, MASK), st.integers(0, 200))
def test_every_word_is_the_documented_one(seed, name, start, entry):
    words = Stream(seed, name, (start,)).words((201,))
    assert int(words[0, entry]) == documented_word(seed, name, start, entry)


@given(seeds, names, st.lists(st.integers(0, 1000), min_size=1, max_size=5), st.integers(1, 30))
def test_a_start_is_the_same_in_any_company(seed, name, starts, size):
    together = Stream(seed, name, starts).words((size,))
    alone = [Stream(seed, name, (start,)).words((size,))[0] for start in starts]
    assert np.array_equal(together, alone)


def test_words_belong_to_whoever_asked_for_them():
    stream = Stream(3, "Theta1", range(2))
    words = stream.words((5,))
    kept = words.copy()
    words[...] = 0
    assert np.array_equal(stream.words((5,)), kept)


@given(seeds, st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_one_more_unit_appends_a_row(seed, rows, columns, more):
    small = Stream(seed, "Theta1", range(2)).words((rows, columns))
    large = Stream(seed, "Theta1", range(2)).words((rows + more, columns))
    assert np.array_equal(large[:, :rows], small)


@given(seeds)
def test_neighbouring_streams_share_no_word(seed):
    stream = Stream(seed, "Theta1", range(3))
    others = (
        Stream(seed + 1, "Theta1", range(3)),
        Stream(seed, "Theta2", range(3)),
        stream.extra("second"),
    )
    words = np.concatenate([each.words((50,)).ravel() for each in (stream, *others)])
    assert len(np.unique(words)) == len(words)


def test_seed_and_name_do_not_run_into_each_other():
    assert Stream(1, "1/x", (0,)).words((1,)) != Stream(11, "/x", (0,)).words((1,))


class Fixed(Stream):
    """A stream whose words are given."""

    def words(self, _shape):
        return np.array([[0, 2**63 - 1, 2**63, MASK]], dtype=np.uint64)


def test_extreme_words_stay_inside_their_interval():
    fixed = Fixed(0, "Theta1", (0,))
    assert fixed.uniform((4,)).tolist() == [[0.0, 0.5 - 2.0**-53, 0.5, 1.0 - 2.0**-53]]
    opened = fixed.open_uniform((4,))
    assert opened.min() == 2.0**-53
    assert opened.max() == 1.0 - 2.0**-53
    assert np.array_equal(opened, 1.0 - opened[:, ::-1])
    normal = fixed.normal((4,))
    assert np.all(np.isfinite(normal))
    np.testing.assert_allclose(normal, -normal[:, ::-1], rtol=1e-9)


@pytest.mark.parametrize(
    ("draw", "law"), [("uniform", "uniform"), ("open_uniform", "uniform"), ("normal", "norm")]
)
def test_numbers_follow_their_law(draw, law):
    numbers = getattr(Stream(5, "Theta1", range(100)), draw)((500,))
    assert numbers.shape == (100, 500)
    assert numbers.dtype == np.float64
    assert stats.kstest(numbers.ravel(), law).pvalue > 1e-3


def test_neighbouring_entries_and_starts_are_uncorrelated():
    numbers = Stream(5, "Theta1", range(400)).normal((400,))
    bound = 4.5 / np.sqrt(numbers.size)
    assert abs(np.mean(numbers[:, 1:] * numbers[:, :-1])) < bound
    assert abs(np.mean(numbers[1:] * numbers[:-1])) < bound
