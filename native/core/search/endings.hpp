// When a burst of a start ends: at the tick after which Python's tests may name an ending.
//
// Conventions: those of `optimize/stopping.py`, `running.py` and `early_stopping.py`, whose constants come
// with the settings. What ended a start is said there; here its state is led to that place.
#pragma once

#include <algorithm>
#include <limits>

#include "numbers.hpp"
#include "problem.hpp"
#include "state.hpp"

namespace symbreak {

// theta, J, its gradient and the largest |entry| of that, of one start.
template <class T>
struct Point {
    T* theta;
    double value;
    T* gradient;
    double norm;

    bool is_finite() const { return std::isfinite(value) && std::isfinite(norm); }
};

// The points of all running starts.
template <class T>
class Points {
public:
    Points(const State& state, const std::string& name, long n)
        : theta_(state.rows<T>(name + ".theta", n)), gradient_(state.rows<T>(name + ".gradient", n)),
          value_(state.rows<double>(name + ".value")), norm_(state.rows<double>(name + ".norm")) {}

    Point<T> operator[](int start) const {
        return {theta_.row(start), value_[start], gradient_.row(start), norm_[start]};
    }

    void put(int start, const Point<T>& point) const {
        std::copy_n(point.theta, theta_.width(), theta_.row(start));
        std::copy_n(point.gradient, theta_.width(), gradient_.row(start));
        value_[start] = point.value;
        norm_[start] = point.norm;
    }

private:
    Rows<T> theta_, gradient_;
    Rows<double> value_, norm_;
};

// The best point evaluated; see `BestPoints`.
template <class T>
class BestPoints {
public:
    BestPoints(const State& state, const Settings& settings, long n)
        : theta_(state.rows<T>("best.theta", n)), value_(state.rows<double>("best.value")),
          norm_(state.rows<double>("best.gradient_norm")), lowest_(state.rows<double>("best._lowest")),
          iteration_(state.rows<std::int64_t>("best.iteration")),
          tie_(settings["ties"] * settings["eps"]) {}

    void offer(int start, const Point<T>& point, std::int64_t iteration) const {
        if (!point.is_finite()) return;
        const double lowest = lowest_[start] = std::min(lowest_[start], point.value);
        const double limit = lowest + tie_ * std::abs(lowest);
        if (point.value > limit || (value_[start] <= limit && point.norm >= norm_[start])) return;
        std::copy_n(point.theta, theta_.width(), theta_.row(start));
        value_[start] = point.value;
        norm_[start] = point.norm;
        iteration_[start] = iteration;
    }

private:
    Rows<T> theta_;
    Rows<double> value_, norm_, lowest_;
    Rows<std::int64_t> iteration_;
    double tie_;
};

// The test of the gradient and the limits.
template <class T>
class Limits {
public:
    Limits(const State& state, const Settings& settings, long n)
        : n_(n), start_norm_(state.rows<double>("start_norm")),
          start_value_(state.rows<double>("start_value")), rtol_(settings["gradient_rtol"]),
          atol_(settings["gradient_atol"]), floor_(settings["rounding"] * settings["eps"]),
          target_(settings["target_value"]), value_rtol_(settings["value_rtol"]),
          step_rtol_(settings["step_rtol"]), max_iter_(settings["max_iter"]),
          max_evaluations_(settings["max_evaluations"]) {}

    // After a step from `before` to `here`.
    bool end_step(int start, const Point<T>& before, const Point<T>& here) const {
        return has_converged(start, here) || (value_rtol_ > 0 && is_small_change(before, here)) ||
               (step_rtol_ > 0 && is_small_step(before, here));
    }
    // After any evaluation.
    bool end(const Point<T>& here, std::int64_t iterations, std::int64_t evaluations) const {
        return here.value <= target_ || iterations >= max_iter_ || evaluations >= max_evaluations_;
    }

private:
    bool has_converged(int start, const Point<T>& here) const {
        const double scale = std::min(std::abs(here.value), std::abs(start_value_[start]));
        const double limit = std::max(atol_, rtol_ * std::min(start_norm_[start], 1.0));
        return here.norm <= std::max(limit, floor_ * scale);
    }
    bool is_small_change(const Point<T>& before, const Point<T>& here) const {
        const double scale = std::max(std::abs(before.value), std::abs(here.value));
        return before.value - here.value <= value_rtol_ * scale;
    }
    bool is_small_step(const Point<T>& before, const Point<T>& here) const {
        double step = 0, size = 0;
        for (long i = 0; i < n_; ++i) {
            step = std::max(step, static_cast<double>(std::abs(here.theta[i] - before.theta[i])));
            size = std::max(size, static_cast<double>(std::abs(here.theta[i])));
        }
        return step <= step_rtol_ * size;
    }

    long n_;
    Rows<double> start_norm_, start_value_;
    double rtol_, atol_, floor_, target_, value_rtol_, step_rtol_, max_iter_, max_evaluations_;
};

// The best validated point, where the score is J of other examples; see `Validation`.
template <class T>
class Validation {
public:
    Validation(const State& state, const Settings& settings, const Problem<T>* problem)
        : problem_(problem) {
        if (problem == nullptr) return;
        theta_ = state.rows<T>("validation.theta", problem->n());
        score_ = state.rows<double>("validation.score");
        latest_ = state.rows<double>("validation.latest");
        iteration_ = state.rows<std::int64_t>("validation.iteration");
        since_ = state.rows<std::int64_t>("validation._since");
        patience_ = settings["patience"];
        tol_ = settings["patience_tol"];
    }

    explicit operator bool() const { return problem_ != nullptr; }
    double latest(int start) const { return latest_[start]; }

    // Scores an accepted point; returns whether none has improved for too long.
    bool look(int start, const T* theta, std::int64_t iteration, int threads) const {
        const double now = problem_->evaluate(start, theta, nullptr, threads);
        const double before = score_[start];
        latest_[start] = now;
        const bool is_better = now < before;
        since_[start] = is_better && now <= before - tol_ ? 0 : since_[start] + 1;
        if (is_better) {
            std::copy_n(theta, theta_.width(), theta_.row(start));
            score_[start] = now;
            iteration_[start] = iteration;
        }
        return static_cast<double>(since_[start]) >= patience_;
    }

private:
    const Problem<T>* problem_;
    Rows<T> theta_;
    Rows<double> score_, latest_;
    Rows<std::int64_t> iteration_, since_;
    double patience_ = 0, tol_ = 0;
};

// How long J has not fallen; see `Stalling`.
class Stalling {
public:
    Stalling(const State& state, const Settings& settings) {
        if (!state.has("stalling._lowest")) return;
        lowest_ = state.rows<double>("stalling._lowest");
        since_ = state.rows<std::int64_t>("stalling._since");
        patience_ = settings["value_patience"];
        tol_ = settings["value_tol"];
    }

    // Takes notice of J of an accepted point; returns whether it has stalled.
    bool look(int start, double value) const {
        if (!lowest_) return false;
        const bool fell = value <= lowest_[start] - tol_;
        lowest_[start] = std::fmin(lowest_[start], value);
        since_[start] = fell ? 0 : since_[start] + 1;
        return static_cast<double>(since_[start]) >= patience_;
    }

private:
    Rows<double> lowest_;
    Rows<std::int64_t> since_;
    double patience_ = 0, tol_ = 0;
};

}  // namespace symbreak
