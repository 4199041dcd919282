// Epochs of mini-batch updates of one start; conventions are those of `optimize/steppers/minibatch.py`
// and of `optimize/updates`, where the rules, the schedules and the order of the examples are.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "endings.hpp"
#include "hager_zhang.hpp"

namespace symbreak {

// What the epochs of a burst are given by Python.
template <class T>
struct EpochPlan {
    const std::int64_t* order;  // (epochs, m), of the examples; null where an epoch is one update
    const double* factors;      // (epochs), what the schedule multiplies the rates by
    const T* decay;             // (n), of the parameters; null for none
};

// Steps along the velocity; see `rules.SGD`.
template <class T>
class SGD {
public:
    SGD(const State& state, const Settings& settings, const EpochPlan<T>&, long n)
        : n_(n), momentum_(static_cast<T>(settings["momentum"])), is_nesterov_(settings["nesterov"] != 0) {
        if (state.has("stepper.rule._velocity")) velocity_ = state.rows<T>("stepper.rule._velocity", n);
    }

    void update(int start, long /* number of the update */, T* theta, const T* gradient, double rate) const {
        const T by = static_cast<T>(rate);
        if (!velocity_) {
            for (long i = 0; i < n_; ++i) theta[i] -= by * gradient[i];
            return;
        }
        T* velocity = velocity_.row(start);
        for (long i = 0; i < n_; ++i) velocity[i] = momentum_ * velocity[i] + gradient[i];
        if (is_nesterov_)
            for (long i = 0; i < n_; ++i) theta[i] -= by * (gradient[i] + momentum_ * velocity[i]);
        else
            for (long i = 0; i < n_; ++i) theta[i] -= by * velocity[i];
    }

private:
    long n_;
    T momentum_;
    bool is_nesterov_;
    Rows<T> velocity_;
};

// Adam and AdamW; see `rules.Adam`.
template <class T>
class Adam {
public:
    Adam(const State& state, const Settings& settings, const EpochPlan<T>& plan, long n)
        : n_(n), decay_(plan.decay), mean_(state.rows<T>("stepper.rule._mean", n)),
          square_(state.rows<T>("stepper.rule._square", n)), beta1_(settings["beta1"]),
          beta2_(settings["beta2"]), eps_(settings["adam_eps"]) {}

    // number : 1, 2, ... of the update
    void update(int start, long number, T* theta, const T* gradient, double rate) const {
        if (decay_ != nullptr)
            for (long i = 0; i < n_; ++i) theta[i] -= theta[i] * (decay_[i] * static_cast<T>(rate));
        const double root = std::sqrt(1.0 - std::pow(beta2_, number));
        const T step = static_cast<T>(rate * root / (1.0 - std::pow(beta1_, number)));
        const T floor = static_cast<T>(eps_ * root);
        const T keep1 = static_cast<T>(beta1_), take1 = static_cast<T>(1.0 - beta1_);
        const T keep2 = static_cast<T>(beta2_), take2 = static_cast<T>(1.0 - beta2_);
        T *mean = mean_.row(start), *square = square_.row(start);
        for (long i = 0; i < n_; ++i) {
            mean[i] = keep1 * mean[i] + take1 * gradient[i];
            square[i] = keep2 * square[i] + take2 * gradient[i] * gradient[i];
            theta[i] -= step * mean[i] / (std::sqrt(square[i]) + floor);
        }
    }

private:
    long n_;
    const T* decay_;
    Rows<T> mean_, square_;
    double beta1_, beta2_, eps_;
};

// The learning rate of a start; see `schedules`, of which only `Adaptive` looks at J.
class Rates {
public:
    Rates(const State& state, const Settings& settings)
        : rates_(state.rows<double>("stepper.schedule._rates")) {
        if (!state.has("stepper.schedule._lowest")) return;
        lowest_ = state.rows<double>("stepper.schedule._lowest");
        since_ = state.rows<std::int64_t>("stepper.schedule._since");
        patience_ = settings["adaptive_patience"];
        tol_ = settings["adaptive_tol"];
        divisor_ = settings["adaptive_divisor"];
        least_ = settings["least_rate"];
    }

    double operator[](int start) const { return rates_[start]; }

    void look(int start, double value) const {
        if (!lowest_) return;
        const bool fell = value < lowest_[start] - tol_;
        lowest_[start] = std::fmin(lowest_[start], value);
        since_[start] = fell ? 0 : since_[start] + 1;
        if (!has_ended(start) || rates_[start] <= least_) return;
        rates_[start] /= divisor_;
        since_[start] = 0;
    }

    // After `look`: whether it has waited too long at a rate that is not divided any more.
    bool has_ended(int start) const {
        return lowest_ && static_cast<double>(since_[start]) >= patience_;
    }

private:
    Rows<double> rates_, lowest_;
    Rows<std::int64_t> since_;
    double patience_ = 0, tol_ = 0, divisor_ = 1, least_ = 0;
};

// A tick is some epochs, and J over all examples at their end.
template <class T, class Rule>
class MiniBatchStepper {
public:
    MiniBatchStepper(const State& state, const Settings& settings, const Problem<T>& problem,
                     const EpochPlan<T>& plan)
        : problem_(problem), plan_(plan), n_(problem.n()), m_(problem.examples->size()),
          size_(static_cast<long>(settings["batch_size"])), epochs_(static_cast<int>(settings["epochs"])),
          updates_(static_cast<long>(settings["updates"])),
          with_gradient_(settings["with_gradient"] != 0), not_asked_(settings["not_asked"]),
          rule_(state, settings, plan, n_), rates_(state, settings) {}

    // Multiplications of an evaluation between which a start cannot share its work.
    double work() const { return 3.0 * n_ * (plan_.order == nullptr ? m_ : size_); }

    void advance(int, const Point<T>&, const Point<T>&) const {}

    // tick : 0, 1, ... since the burst began
    void trial(int start, int tick, const Point<T>& here, Point<T>& trial, int threads) const {
        std::copy_n(here.theta, n_, trial.theta);
        for (int epoch = tick * epochs_; epoch < (tick + 1) * epochs_; ++epoch) {
            const double rate = rates_[start] * plan_.factors[epoch];
            if (plan_.order != nullptr) {
                batches(start, epoch, rate, trial, threads);
                continue;
            }
            const bool is_known = epoch == tick * epochs_;
            if (!is_known) problem_.evaluate(start, trial.theta, trial.gradient, threads);
            const T* gradient = is_known ? here.gradient : trial.gradient;
            rule_.update(start, updates_ + epoch + 1, trial.theta, gradient, rate);
        }
        trial.value =
            problem_.evaluate(start, trial.theta, with_gradient_ ? trial.gradient : nullptr, threads);
        trial.norm = with_gradient_ ? largest(trial.gradient, n_) : not_asked_;
        if (!with_gradient_) std::fill_n(trial.gradient, n_, T(0));
    }

    Verdict judge(int start, const Point<T>&, const Point<T>& trial) const {
        rates_.look(start, trial.value);
        return trial.is_finite() ? Verdict::accepted : Verdict::failed;
    }

    // Whether a start has come to an ending of the method's own.
    bool has_ended(int start) const { return rates_.has_ended(start); }

private:
    // One epoch of updates on mini-batches of the examples, which are gathered here.
    void batches(int start, int epoch, double rate, Point<T>& trial, int threads) const {
        const Examples<T>& all = *problem_.examples;
        Examples<T> batch(all.row_count(), all.target_rows());
        const T* weights = problem_.weights_of(start);
        std::vector<T> picked(weights == nullptr ? 0 : size_);
        const std::int64_t* order = plan_.order + static_cast<long>(epoch) * m_;
        long number = updates_ + epoch * ((m_ + size_ - 1) / size_);
        for (long first = 0; first < m_; first += size_) {
            const long count = std::min(size_, m_ - first);
            batch.pick(all, order + first, count);
            for (long i = 0; weights != nullptr && i < count; ++i) picked[i] = weights[order[first + i]];
            // The sums of the problem are over all its examples: so many of them have this share.
            const T scale = static_cast<T>(static_cast<double>(problem_.scale) * m_ / count);
            problem_.evaluate(batch, weights == nullptr ? nullptr : picked.data(), scale, start,
                              trial.theta, trial.gradient, threads);
            rule_.update(start, ++number, trial.theta, trial.gradient, rate);
        }
    }

    const Problem<T>& problem_;
    EpochPlan<T> plan_;
    long n_, m_, size_;
    int epochs_;
    long updates_;
    bool with_gradient_;
    double not_asked_;  // the norm of a gradient that nobody asked for
    Rule rule_;
    Rates rates_;
};

}  // namespace symbreak
