// When a burst of a start ends: at the tick after which Python's tests may name an ending.
//
// Conventions: those of `optimize/stopping.py`, `running.py` and `early_stopping.py`, whose constants come
// with the settings. What ended a start is said there; here its state is led to that place.
#pragma once

#include <algorithm>
#include <limits>

#include "numbers.hpp"
#include "score.hpp"
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
          value_atol_(settings["value_atol"]), step_rtol_(settings["step_rtol"]), max_iter_(settings["max_iter"]),
          max_evaluations_(settings["max_evaluations"]) {}

    // After a step from `before` to `here`.
    bool end_step(int start, const Point<T>& before, const Point<T>& here) const {
        const bool asks_value = value_rtol_ > 0 || value_atol_ > 0;
        return has_converged(start, here) || (asks_value && is_small_change(before, here)) ||
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
        return before.value - here.value <= std::max(value_rtol_ * scale, value_atol_);
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
    double rtol_, atol_, floor_, target_, value_rtol_, value_atol_, step_rtol_, max_iter_, max_evaluations_;
};

// The best validated point, scored by J of other examples or by a score with that J beside it; see
// `Validation` in `optimize/early_stopping.py`.
template <class T>
class Validation {
public:
    Validation(const State& state, const Settings& settings, const Problem<T>* problem)
        : problem_(problem) {
        if (problem == nullptr) return;
        score_is_ = static_cast<Score>(static_cast<int>(settings["score"]));
        theta_ = state.rows<T>("validation.theta", problem->n());
        score_ = state.rows<double>("validation.score");
        loss_ = state.rows<double>("validation.loss");
        lowest_ = state.rows<double>("validation._lowest");
        unit_ = state.rows<double>("validation._unit");
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
        double score = problem_->evaluate(start, theta, nullptr, threads);
        double loss = std::numeric_limits<double>::infinity();
        if (score_is_ != Score::loss) {
            loss = std::isnan(score) ? loss : score;
            score = score_is_ == Score::accuracy ? minus_accuracy(*problem_, theta)
                                                 : minus_r2(*problem_, theta);
        }
        latest_[start] = score;
        if (std::isnan(score) && std::isfinite(loss)) score = std::numeric_limits<double>::infinity();
        if (std::isinf(unit_[start])) unit_[start] = std::abs(loss);
        const bool enough = has_fallen(score, score_[start], 1.0) ||
                            has_fallen(loss, lowest_[start], unit_[start]);
        since_[start] = enough ? 0 : since_[start] + 1;
        lowest_[start] = std::min(lowest_[start], loss);
        if (score < score_[start] || (score == score_[start] && loss < loss_[start])) {
            std::copy_n(theta, theta_.width(), theta_.row(start));
            score_[start] = score;
            loss_[start] = loss;
            iteration_[start] = iteration;
        }
        return static_cast<double>(since_[start]) >= patience_;
    }

private:
    bool has_fallen(double now, double before, double unit) const {
        return now < before && now <= before - tol_ * unit;
    }

    const Problem<T>* problem_;
    Score score_is_ = Score::loss;
    Rows<T> theta_;
    Rows<double> score_, loss_, lowest_, unit_, latest_;
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
