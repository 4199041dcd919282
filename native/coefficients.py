"""The coefficients of native/core/elementary.hpp, by Chebyshev interpolation in high precision.

    python native/coefficients.py

prints each polynomial, the lowest degree first, with its largest relative error.
"""

from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60

Function = Callable[[mp.mpf], mp.mpf]


def interpolate(f: Function, low: mp.mpf, high: mp.mpf, degree: int) -> tuple[list[mp.mpf], mp.mpf]:
    """Return the coefficients of the polynomial through f at Chebyshev's nodes, and its error."""
    n = degree + 1
    nodes = [mp.cos(mp.pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    places = [(low + high) / 2 + (high - low) / 2 * node for node in nodes]
    powers = mp.matrix([[x**j for j in range(n)] for x in places])
    coefficients = list(mp.lu_solve(powers, mp.matrix([f(x) for x in places])))
    between = mp.linspace(low, high, 500)
    error = max(abs(mp.polyval(coefficients[::-1], x) / f(x) - 1) for x in between)
    return coefficients, error


def exponential(r: mp.mpf) -> mp.mpf:
    """Return (exp(r) - 1 - r) / r²."""
    return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf("1e-12") else mp.mpf(1) / 2 + r / 6


def cotangent(square: mp.mpf) -> mp.mpf:
    """Return (r coth(r) - 1) / r², square = r²."""
    r = mp.sqrt(square)
    return (r * mp.coth(r) - 1) / square


def logarithm(z: mp.mpf) -> mp.mpf:
    """Return (log((1 + s) / (1 - s)) - 2 s) / s³, z = s²."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z)


def scaled_tail(centre: mp.mpf) -> Function:
    """Return (1 + 1.25 t) exp(t² / 2) Phi(-t) as a function of (t - centre) / (t + centre)."""

    def of_place(place: mp.mpf) -> mp.mpf:
        t = centre * (1 + place) / (1 - place)
        return (1 + mp.mpf("1.25") * t) * mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2

    return of_place


def middle(square: mp.mpf) -> mp.mpf:
    """Return (Phi(z) - 1 / 2) / z, square = z²."""
    z = mp.sqrt(square)
    return mp.erf(z / mp.sqrt(2)) / (2 * z)


def show(what: str, f: Function, low: mp.mpf, high: mp.mpf, degree: int) -> None:
    """Print the coefficients and the error."""
    coefficients, error = interpolate(f, low, high, degree)
    print(f"{what}, degree {degree}, error {mp.nstr(error, 3)}")
    print("   ", ", ".join(mp.nstr(c, 19) for c in coefficients))


def main() -> None:
    """Print all of them, for float64 and float32."""
    half = mp.log(2) / 2 * mp.mpf("1.0001")  # the reduced argument may be a little beyond
    for degree in (10, 5):
        show("exponential", exponential, -half, half, degree)
    for degree in (4, 1):
        show("cotangent", cotangent, mp.mpf("1e-18"), (half / 2) ** 2, degree)
    for degree in (7, 3):
        show("logarithm", logarithm, mp.mpf("1e-18"), mp.mpf("0.0295"), degree)
    for degree in (9, 5):
        show("middle", middle, mp.mpf("1e-18"), mp.mpf(1), degree)
    for centre, end, degree in (("4.5", "38.7", 22), ("3.5", "14.5", 10)):
        c = mp.mpf(centre)
        last = (mp.mpf(end) - c) / (mp.mpf(end) + c)
        show("tail", scaled_tail(c), mp.mpf(-1), last, degree)


if __name__ == "__main__":
    main()
