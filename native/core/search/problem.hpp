// J of each running start, evaluated alone.
#pragma once

#include "../evaluate.hpp"

namespace symbreak {

// What is evaluated; see `Task`.
template <class T>
struct Problem {
    const Network* network = nullptr;
    const Examples<T>* examples = nullptr;
    const T* weights = nullptr;
    long weights_stride = 0;
    const T* strength = nullptr;
    long strength_stride = 0;
    T scale = 1;
    double memory = 0;

    long n() const { return network->n_parameters(); }
    const T* weights_of(int start) const {
        return weights == nullptr ? nullptr : weights + start * weights_stride;
    }
    const T* strength_of(int start) const {
        return strength == nullptr ? nullptr : strength + start * strength_stride;
    }

    // Returns J of one start at theta (n) and writes its gradient, if one is wanted.
    T evaluate(int start, const T* theta, T* gradient, int threads) const {
        return evaluate(*examples, weights_of(start), scale, start, theta, gradient, threads);
    }

    // The same on other examples, with their own weights and scale.
    T evaluate(const Examples<T>& those, const T* their_weights, T their_scale, int start, const T* theta,
               T* gradient, int threads) const {
        T value;
        const Task<T> task{*network, those, 1,           theta,  their_weights, 0, strength_of(start),
                           0,        their_scale, &value, gradient,      memory};
        Evaluation<T>(task).run(threads);
        return value;
    }
};

}  // namespace symbreak
