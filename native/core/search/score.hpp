// What scores the accepted points of a search on other examples; lower is better.
//
// Conventions: those of the estimators. Accuracy is the share of examples all of whose classes are right:
// the largest output of a soft-max, else outputs above 1/2. R^2 = 1 - sum of squared errors / sum of
// squared deviations from the mean, the mean of it over the outputs; units of the targets are of no
// account. Both without weights, and NaN where an output is not finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "problem.hpp"

namespace symbreak {

enum class Score { loss, accuracy, r2 };

namespace detail {

// Calls use(output, target) with the first number of each example in its panel, rows kPanel apart, for
// all outputs of a network as its link gives them; the largest of a soft-max are those of raw.
template <class T, class Use>
void for_each_output(const Problem<T>& problem, const T* theta, const Use& use) {
    const Network& network = *problem.network;
    const Examples<T>& examples = *problem.examples;
    Workspace<T> room(network);
    for (int panel = 0; panel < examples.panels(); panel += room.panels()) {
        const int panels = std::min(room.panels(), examples.panels() - panel);
        Pass<T>(network, theta, examples, room, panel, panels).forward(false);
        for (int here = 0; here < panels; ++here) {
            T* raw = room.raw() + here * room.stride(network.depth());
            for (int half = 0; network.loss.kind != Loss::cross_entropy && half < kPanel<T>;
                 half += kLanes<T>)
                link<T>(network.loss.kind, raw + half, network.outputs(), kPanel<T>);
            const long first = static_cast<long>(panel + here) * kPanel<T>;
            const long count = std::min<long>(kPanel<T>, examples.size() - first);
            for (long i = 0; i < count; ++i) use(raw + i, examples.targets(panel + here) + i);
        }
    }
}

template <class T>
bool is_right(const Network& network, const T* output, const T* target) {
    const int outputs = network.outputs();
    if (network.loss.kind == Loss::cross_entropy) {
        int largest = 0;
        for (int k = 1; k < outputs; ++k)
            if (output[k * kPanel<T>] > output[largest * kPanel<T>]) largest = k;
        return largest == static_cast<int>(*target);
    }
    // Binary cross-entropy is given 1 - 2 y in the place of y.
    const bool is_sign = network.loss.kind == Loss::binary_cross_entropy;
    for (int k = 0; k < outputs; ++k) {
        const T y = target[k * kPanel<T>];
        if ((output[k * kPanel<T>] > T(0.5)) != (is_sign ? y < 0 : y > T(0.5))) return false;
    }
    return true;
}

template <class T>
bool is_finite(const Network& network, const T* output) {
    for (int k = 0; k < network.outputs(); ++k)
        if (!std::isfinite(output[k * kPanel<T>])) return false;
    return true;
}

}  // namespace detail

template <class T>
double minus_accuracy(const Problem<T>& problem, const T* theta) {
    long right = 0;
    bool all_finite = true;
    detail::for_each_output(problem, theta, [&](const T* output, const T* target) {
        all_finite &= detail::is_finite(*problem.network, output);
        right += detail::is_right(*problem.network, output, target);
    });
    return all_finite ? -static_cast<double>(right) / problem.examples->size() : std::nan("");
}

template <class T>
double minus_r2(const Problem<T>& problem, const T* theta) {
    const int outputs = problem.network->outputs();
    const double m = problem.examples->size();
    std::vector<double> mean(outputs), errors(outputs), deviations(outputs);
    bool all_finite = true;
    detail::for_each_output(problem, theta, [&](const T* output, const T* target) {
        all_finite &= detail::is_finite(*problem.network, output);
        for (int k = 0; k < outputs; ++k) {
            const double y = target[k * kPanel<T>], error = y - output[k * kPanel<T>];
            mean[k] += y / m;
            errors[k] += error * error;
        }
    });
    if (!all_finite) return std::nan("");
    for (long i = 0; i < problem.examples->size(); ++i)
        for (int k = 0; k < outputs; ++k) {
            const T* target = problem.examples->targets(static_cast<int>(i / kPanel<T>)) + i % kPanel<T>;
            const double deviation = target[k * kPanel<T>] - mean[k];
            deviations[k] += deviation * deviation;
        }
    double sum = 0;
    for (int k = 0; k < outputs; ++k) sum += errors[k] / deviations[k] - 1.0;
    return sum / outputs;
}

}  // namespace symbreak
