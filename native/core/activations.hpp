// Activations a = g(z) and their derivatives; the twins of symbreak.activations.
//
// Conventions: `Slope` is what the way back needs beside a. Where g' is a function of a alone,
// `derivative(a)` gives it; where it needs z (gelu, silu), `value(z, slope)` gives g' on the way.
// At a kink g' is that of the left side. Values are within 4 units in the last place, and odd
// activations are exactly odd.
#pragma once

#include <iterator>

#include "elementary.hpp"

namespace symbreak {

enum class Activation { identity, sigmoid, tanh, relu, leaky_relu, elu, selu, softplus, gelu, silu };

// Their names in symbreak.activations, in the order of the words above.
constexpr const char* kActivationNames[] = {"identity", "sigmoid", "tanh",     "relu", "leaky_relu",
                                            "elu",      "selu",    "softplus", "gelu", "silu"};
static_assert(std::size(kActivationNames) == static_cast<std::size_t>(Activation::silu) + 1);

constexpr bool needs_input(Activation kind) {
    return kind == Activation::gelu || kind == Activation::silu;
}

// Registers of tanh that go together: what they need fits the registers of the processor.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTogether = 4;
#else
constexpr int kTogether = 2;
#endif

constexpr double kLeakySlope = 0.01;
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

template <class T>
inline Vector<T> sigmoid(Vector<T> z) {
    const Vector<T> e = exponential<T>(-absolute<T>(z));
    return select<T>(z < 0, e, all<T>(1)) / (1 + e);
}

// With |z| = n ln(2) / 2 + r and c = r coth(r), exp(2 |z|) = 2^n (c + r) / (c - r). So tanh |z| =
// t / (t + c - r), t = (2^n - 1) / 2 (c + r) + r: one division, and c, being even, takes half the terms.
// z becomes a, `Count` registers of it step by step together: each step waits for the one before it.
template <class T, int Count>
inline void hyperbolic_tangents(T* z) {
    constexpr int lanes = kLanes<T>;
    Vector<T> r[Count], half_power[Count], c[Count];
#pragma GCC unroll 8
    for (int i = 0; i < Count; ++i) {
        // Beyond 20 tanh is 1.
        const Vector<T> size = at_most<T>(absolute<T>(load<T>(z + i * lanes)), all<T>(20));
        const Reduced<T> reduced = reduce<T>(size, static_cast<T>(0.5));
        r[i] = reduced.r;
        half_power[i] = power_of_two<T>(reduced.n - 1);
        keep<T>(r[i]);
        keep<T>(half_power[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Count; ++i) {
        const Vector<T> square = r[i] * r[i];
        c[i] = 1 + square * polynomial<T>(square, Constants<T>::cotangent);
        keep<T>(c[i]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Count; ++i) {
        const Vector<T> t = (half_power[i] - static_cast<T>(0.5)) * (c[i] + r[i]) + r[i];
        store<T>(z + i * lanes, with_sign_of<T>(t / (t + (c[i] - r[i])), load<T>(z + i * lanes)));
    }
}

// log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|))
template <class T>
inline Vector<T> softplus(Vector<T> z) {
    return at_least<T>(z, Vector<T>{}) + log1p<T>(exponential<T>(-absolute<T>(z)));
}

// z Phi(z);  slope Phi(z) + z phi(z)
template <class T>
inline Vector<T> gelu(Vector<T> z, Vector<T>& slope) {
    // Beyond the tail's end Phi is 0 or 1; there z must not be infinite times 0.
    const Vector<T> end = all<T>(Constants<T>::tail_end);
    const Vector<T> near = at_least<T>(at_most<T>(z, end), -end);
    const NormalTail<T> normal = normal_tail<T>(z);
    const Vector<T> density = normal.power.times(all<T>(static_cast<T>(0.39894228040143267794)));
    const Vector<T> middle = z * polynomial<T>(z * z, Constants<T>::middle) + static_cast<T>(0.5);
    const Vector<T> tail = normal.power.times(normal.scaled);
    const Mask<T> is_middle = absolute<T>(z) < 1, is_negative = z < 0;
    const Vector<T> cdf = select<T>(is_middle, middle, select<T>(is_negative, tail, 1 - tail));
    slope = cdf + near * density;
    return select<T>(is_negative & ~is_middle, normal.power.times(near * normal.scaled), z * cdf);
}

// z s(z), s the sigmoid;  slope s (1 + z (1 - s))
template <class T>
inline Vector<T> silu(Vector<T> z, Vector<T>& slope) {
    // Far out s is 0 or 1; there z must not be infinite times 0.
    const Vector<T> end = all<T>(-2 * Constants<T>::lowest_exponent);
    const Vector<T> near = at_least<T>(at_most<T>(z, end), -end);
    const Exponential<T> power = split_exponential<T>(-absolute<T>(z));
    const Vector<T> e = power.times(all<T>(1));
    const Vector<T> large = 1 / (1 + e), small = e * large;
    const Mask<T> is_negative = z < 0;
    const Vector<T> s = select<T>(is_negative, small, large);
    slope = s * (1 + near * select<T>(is_negative, large, small));
    return select<T>(is_negative, power.times(near * large), z * large);
}

// a = g(z); `slope` becomes g'(z) where it needs z, and is left alone elsewhere. tanh has its own loop.
template <class T, Activation kind>
inline Vector<T> value(Vector<T> z, [[maybe_unused]] Vector<T>& slope) {
    [[maybe_unused]] const Mask<T> is_positive = z > 0;
    if constexpr (kind == Activation::identity) return z;
    if constexpr (kind == Activation::sigmoid) return sigmoid<T>(z);
    if constexpr (kind == Activation::relu) return select<T>(z <= 0, Vector<T>{}, z);
    if constexpr (kind == Activation::leaky_relu)
        return select<T>(is_positive, z, z * static_cast<T>(kLeakySlope));
    if constexpr (kind == Activation::elu)
        return select<T>(is_positive, z, expm1<T>(at_most<T>(z, Vector<T>{})));
    if constexpr (kind == Activation::selu)
        return static_cast<T>(kSeluScale) *
               select<T>(is_positive, z,
                         static_cast<T>(kSeluAlpha) * expm1<T>(at_most<T>(z, Vector<T>{})));
    if constexpr (kind == Activation::softplus) return softplus<T>(z);
    if constexpr (kind == Activation::gelu) return gelu<T>(z, slope);
    if constexpr (kind == Activation::silu) return silu<T>(z, slope);
}

// g' of a, for the activations whose g' is a function of a
template <class T, Activation kind>
inline Vector<T> derivative(Vector<T> a) {
    [[maybe_unused]] const Mask<T> is_positive = a > 0;
    const Vector<T> one = all<T>(1);
    if constexpr (kind == Activation::sigmoid) return a * (1 - a);
    if constexpr (kind == Activation::tanh) return 1 - a * a;
    if constexpr (kind == Activation::relu) return select<T>(is_positive, one, Vector<T>{});
    if constexpr (kind == Activation::leaky_relu)
        return select<T>(is_positive, one, all<T>(static_cast<T>(kLeakySlope)));
    if constexpr (kind == Activation::elu) return at_most<T>(a, Vector<T>{}) + 1;
    if constexpr (kind == Activation::selu)
        return select<T>(is_positive, all<T>(static_cast<T>(kSeluScale)),
                         a + static_cast<T>(kSeluScale * kSeluAlpha));
    if constexpr (kind == Activation::softplus) return -expm1<T>(-a);
    return one;
}

namespace detail {

template <class T>
inline void activate_tanh(T* z, long n) {
    constexpr long some = kTogether * kLanes<T>;
    long i = 0;
    for (; i + some <= n; i += some) hyperbolic_tangents<T, kTogether>(z + i);
    for (; i < n; i += kLanes<T>) hyperbolic_tangents<T, 1>(z + i);
}

template <class T, Activation kind>
inline void activate(T* z, T* slope, long n) {
    if constexpr (kind == Activation::tanh)
        activate_tanh<T>(z, n);
    else
        for (long i = 0; i < n; i += kLanes<T>) {
            Vector<T> g{};
            store<T>(z + i, value<T, kind>(load<T>(z + i), g));
            if constexpr (needs_input(kind))
                if (slope != nullptr) store<T>(slope + i, g);
        }
}

template <class T, Activation kind>
inline void multiply_by_derivative(T* delta, const T* a, const T* slope, long n) {
    for (long i = 0; i < n; i += kLanes<T>) {
        const Vector<T> g = needs_input(kind) ? load<T>(slope + i) : derivative<T, kind>(load<T>(a + i));
        store<T>(delta + i, load<T>(delta + i) * g);
    }
}

}  // namespace detail

// Calls `visit` with the kind as a constant of the compiler.
template <class Visit>
inline void with_activation(Activation kind, Visit visit) {
    switch (kind) {
#define SYMBREAK_CASE(word) \
    case Activation::word:  \
        return visit(std::integral_constant<Activation, Activation::word>{});
        SYMBREAK_CASE(identity)
        SYMBREAK_CASE(sigmoid)
        SYMBREAK_CASE(tanh)
        SYMBREAK_CASE(relu)
        SYMBREAK_CASE(leaky_relu)
        SYMBREAK_CASE(elu)
        SYMBREAK_CASE(selu)
        SYMBREAK_CASE(softplus)
        SYMBREAK_CASE(gelu)
        SYMBREAK_CASE(silu)
#undef SYMBREAK_CASE
    }
}

// z (n numbers, n a multiple of the lanes) becomes a; `slope`, if given, g' where it needs z.
template <class T>
void activate(Activation kind, T* z, T* slope, long n) {
    if (kind == Activation::identity) return;
    with_activation(kind, [&](auto k) { detail::activate<T, k.value>(z, slope, n); });
}

// delta becomes delta g'.
template <class T>
void multiply_by_derivative(Activation kind, T* delta, const T* a, const T* slope, long n) {
    if (kind == Activation::identity) return;
    with_activation(kind,
                    [&](auto k) { detail::multiply_by_derivative<T, k.value>(delta, a, slope, n); });
}

}  // namespace symbreak
