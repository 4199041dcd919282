// Losses: value and delta = d loss / d raw for a register of examples; the twins of symbreak.losses.
//
// Conventions: raw, delta and target hold one register of examples for each output, `stride`
// numbers apart; the loss sums over outputs. target is y, but 1 - 2 y for binary_cross_entropy, and
// for cross_entropy one index of a class for each example. Every term is computed so that nothing
// cancels, as in symbreak.losses, where the formulas stand.
#pragma once

#include <limits>

#include "activations.hpp"

namespace symbreak {

enum class Loss {
    cross_entropy, binary_cross_entropy, squared_error, poisson, absolute_error, huber, quantile
};

// Their names in symbreak.losses, in the order of the words above.
constexpr const char* kLossNames[] = {"cross_entropy", "binary_cross_entropy", "squared_error",
                                      "poisson", "absolute_error", "huber", "quantile"};
static_assert(std::size(kLossNames) == static_cast<std::size_t>(Loss::quantile) + 1);

struct LossOf {
    Loss kind;
    double parameter;  // delta of huber, q of quantile
};

// From here on the loss of poisson goes on along its tangent; ln(sqrt(the largest number)).
template <class T>
inline T poisson_limit() {
    return static_cast<T>(sizeof(T) == 8 ? 354.891356446692 : 44.361419526034176);
}

template <class T>
inline Vector<T> poisson_mean(Vector<T> raw) {
    return exponential<T>(at_most<T>(raw, all<T>(poisson_limit<T>())));
}

// The loss of one output; raw becomes delta.
template <class T, Loss kind>
inline Vector<T> loss_of_output(Vector<T>& raw, Vector<T> target, [[maybe_unused]] T parameter) {
    if constexpr (kind == Loss::binary_cross_entropy) {
        const Vector<T> u = raw * target;
        const Vector<T> e = exponential<T>(-absolute<T>(u));
        raw = target * (select<T>(u < 0, e, all<T>(1)) / (1 + e));
        return at_least<T>(u, Vector<T>{}) + log1p<T>(e);
    }
    if constexpr (kind == Loss::poisson) {
        const Vector<T> mean = poisson_mean<T>(raw);
        const Vector<T> beyond = at_least<T>(raw - poisson_limit<T>(), Vector<T>{});
        const Vector<T> loss = mean * (1 + beyond) - target * raw;
        raw = mean - target;
        return loss;
    }
    const Vector<T> r = raw - target;
    const Vector<T> zero{};
    if constexpr (kind == Loss::squared_error) {
        raw = r;
        return static_cast<T>(0.5) * r * r;
    }
    if constexpr (kind == Loss::absolute_error) {
        raw = select<T>(r > 0, all<T>(1), select<T>(r < 0, all<T>(-1), r));
        return absolute<T>(r);
    }
    if constexpr (kind == Loss::huber) {
        raw = at_least<T>(at_most<T>(r, all<T>(parameter)), all<T>(-parameter));
        return (r - static_cast<T>(0.5) * raw) * raw;
    }
    if constexpr (kind == Loss::quantile) {
        raw = select<T>(r > 0, all<T>(1 - parameter), select<T>(r < 0, all<T>(-parameter), zero));
        return r * raw;
    }
    return r;
}

template <class T, Loss kind>
inline Vector<T> sum_over_outputs(T* raw, const T* target, int outputs, int stride, T parameter) {
    Vector<T> sum{};
    for (int k = 0; k < outputs; ++k) {
        Vector<T> x = load<T>(raw + k * stride);
        sum += loss_of_output<T, kind>(x, load<T>(target + k * stride), parameter);
        store<T>(raw + k * stride, x);
    }
    return sum;
}

// e_k = exp(raw_k - max raw), q = sum of e_k but for k = y:
// loss = log1p(q + (e_y - 1)) - (raw_y - max raw), delta_k = e_k / (q + e_y), delta_y = -q / (q + e_y)
template <class T>
inline Vector<T> cross_entropy(T* raw, const T* target, int outputs, int stride) {
    const Vector<T> y = load<T>(target);
    Vector<T> largest = load<T>(raw);
    for (int k = 1; k < outputs; ++k) largest = at_least<T>(load<T>(raw + k * stride), largest);
    Vector<T> others{}, shifted_y{};
    for (int k = 0; k < outputs; ++k) {
        const Vector<T> shifted = load<T>(raw + k * stride) - largest;
        const Mask<T> is_y = y == static_cast<T>(k);
        shifted_y = select<T>(is_y, shifted, shifted_y);
        const Vector<T> e = select<T>(is_y, Vector<T>{}, exponential<T>(shifted));
        others += e;
        store<T>(raw + k * stride, e);
    }
    const Vector<T> excess = expm1<T>(shifted_y) + others;
    const Vector<T> inverse = 1 / (1 + excess);
    for (int k = 0; k < outputs; ++k) {
        const Vector<T> e = load<T>(raw + k * stride);
        store<T>(raw + k * stride, select<T>(y == static_cast<T>(k), -others, e) * inverse);
    }
    return log1p<T>(excess) - shifted_y;
}

// The loss of a register of examples; raw becomes delta.
template <class T>
inline Vector<T> loss_and_delta(LossOf loss, T* raw, const T* target, int outputs, int stride) {
    const T parameter = static_cast<T>(loss.parameter);
    switch (loss.kind) {
        case Loss::cross_entropy:
            return cross_entropy<T>(raw, target, outputs, stride);
#define SYMBREAK_CASE(word) \
    case Loss::word:        \
        return sum_over_outputs<T, Loss::word>(raw, target, outputs, stride, parameter);
            SYMBREAK_CASE(binary_cross_entropy)
            SYMBREAK_CASE(squared_error)
            SYMBREAK_CASE(poisson)
            SYMBREAK_CASE(absolute_error)
            SYMBREAK_CASE(huber)
            SYMBREAK_CASE(quantile)
#undef SYMBREAK_CASE
    }
    return Vector<T>{};
}

// raw becomes the prediction: shares of classes, probabilities, means.
template <class T>
inline void link(Loss loss, T* raw, int outputs, int stride) {
    auto each = [&](auto of) {
        for (int k = 0; k < outputs; ++k) store<T>(raw + k * stride, of(load<T>(raw + k * stride)));
    };
    if (loss == Loss::binary_cross_entropy) return each([](Vector<T> x) { return sigmoid<T>(x); });
    if (loss == Loss::poisson) return each([](Vector<T> x) { return poisson_mean<T>(x); });
    if (loss != Loss::cross_entropy) return;
    Vector<T> largest = load<T>(raw), sum{};
    for (int k = 1; k < outputs; ++k) largest = at_least<T>(load<T>(raw + k * stride), largest);
    each([&](Vector<T> x) {
        const Vector<T> e = exponential<T>(x - largest);
        sum += e;
        return e;
    });
    each([&](Vector<T> x) { return x / sum; });
}

}  // namespace symbreak
