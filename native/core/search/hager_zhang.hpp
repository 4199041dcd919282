// The line search of Hager and Zhang for one start; conventions and letters are those of
// `optimize/line_searches/hager_zhang.py`, its base class `bounded.py` and `interpolation.py`.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "state.hpp"

namespace symbreak {

// What a search says of a trial.
enum class Verdict { again, accepted, failed };

// A trial: t, phi and phi' there.
struct Trial {
    double t, value, slope;
};

inline double secant_zero(const Trial& one, const Trial& other) {
    return other.t + other.slope / (other.slope - one.slope) * (one.t - other.t);
}

// The minimiser of the cubic through both; NaN where it has none.
inline double cubic_minimiser(const Trial& one, const Trial& other) {
    const double e = one.slope + other.slope - 3.0 * (one.value - other.value) / (one.t - other.t);
    const double scale = std::max(std::abs(e), std::max(std::abs(one.slope), std::abs(other.slope)));
    const double square = e / scale * (e / scale) - one.slope / scale * (other.slope / scale);
    if (!(square > 0.0)) return std::nan("");
    const double root = std::copysign(scale * std::sqrt(square), other.t - one.t);
    const double share = (root - one.slope + e) / (root - one.slope + root + other.slope);
    return one.t + share * (other.t - one.t);
}

class HagerZhang {
public:
    HagerZhang(const State& state, const Settings& settings, const std::string& at)
        : step_(state.rows<double>(at + ".step_sizes")), origin_(state.rows<double>(at + "._origin", 2)),
          best_(state.rows<double>(at + "._best", 2)), low_(state.rows<double>(at + "._low", 3)),
          high_(state.rows<double>(at + "._high", 3)),
          low_before_(state.rows<double>(at + "._low_before", 3)),
          high_before_(state.rows<double>(at + "._high_before", 3)),
          trials_(state.rows<std::int64_t>(at + "._trials")), is_last_(state.rows<bool>(at + "._is_last")),
          is_secant_(state.rows<bool>(at + "._is_secant")), delta_(settings["delta"]),
          sigma_(settings["sigma"]), expand_(settings["expand"]), middle_(settings["middle"]),
          gamma_(settings["gamma"]), rounding_(settings["search_rounding"] * settings["eps"]),
          shrink_least_(settings["shrink_least"]), shrink_most_(settings["shrink_most"]),
          max_trials_(settings["max_trials"]), is_cubic_(settings["cubic"] != 0) {}

    double step(int start) const { return step_[start]; }

    void begin(int start, double value, double slope, double first) const {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const Trial open{infinity, infinity, std::nan("")};
        step_[start] = first;
        origin_.row(start)[0] = value, origin_.row(start)[1] = slope;
        best_.row(start)[0] = 0, best_.row(start)[1] = value;
        trials_[start] = 0;
        is_last_[start] = is_secant_[start] = false;
        put(low_, start, {0.0, value, slope});
        put(high_, start, open);
        put(high_before_, start, open);
    }

    // Takes J and slope of the trial; where it says `again`, `step` is the next one.
    Verdict judge(int start, double value, double slope) const {
        if (!std::isfinite(value) || !std::isfinite(slope)) {
            value = std::numeric_limits<double>::infinity();
            slope = std::nan("");
        }
        const Trial trial{step_[start], value, slope};
        ++trials_[start];
        double& best_step = best_.row(start)[0];
        if (value < best_.row(start)[1]) best_step = trial.t, best_.row(start)[1] = value;
        if (is_good(start, trial) || (is_last_[start] && value < origin_.row(start)[0]))
            return Verdict::accepted;
        const double next = next_trial(start, trial);
        const bool is_spent = std::isnan(next) || static_cast<double>(trials_[start]) >= max_trials_;
        const bool has_failed = is_last_[start] || (is_spent && best_step == 0.0);
        is_last_[start] = is_spent;
        step_[start] = is_spent ? best_step : next;
        return has_failed ? Verdict::failed : Verdict::again;
    }

private:
    static Trial at(const Rows<double>& rows, int start) {
        const double* row = rows.row(start);
        return {row[0], row[1], row[2]};
    }
    static void put(const Rows<double>& rows, int start, const Trial& trial) {
        double* row = rows.row(start);
        row[0] = trial.t, row[1] = trial.value, row[2] = trial.slope;
    }

    double rounding(int start) const { return rounding_ * std::abs(origin_.row(start)[0]); }
    double highest(int start) const { return origin_.row(start)[0] + rounding(start); }

    bool is_good(int start, const Trial& trial) const {
        const double f0 = origin_.row(start)[0], d0 = origin_.row(start)[1];
        const bool wolfe = trial.value <= f0 + delta_ * trial.t * d0;
        const bool approximate =
            trial.value <= highest(start) && trial.slope <= (2.0 * delta_ - 1.0) * d0;
        return trial.slope >= sigma_ * d0 && (wolfe || approximate);
    }

    // Puts the trial in the place of an end and returns the next; NaN where no point is left to try.
    double next_trial(int start, const Trial& trial) const {
        const bool is_low = trial.slope < 0.0 && trial.value <= highest(start);
        put(is_low ? low_ : high_, start, trial);
        const Trial low = at(low_, start), high = at(high_, start);
        auto is_inside = [&](double t) { return t > low.t && t < high.t; };
        const bool is_closed = high.slope >= 0.0;
        const double first = zero(start, low, high), second = second_secant(start, trial.t, low, high);
        const bool is_second = is_closed && is_inside(second);
        const bool is_round = is_closed && !is_second && has_shrunk(start, low, high);
        is_secant_[start] = is_round && is_inside(first);
        if (is_round) put(low_before_, start, low), put(high_before_, start, high);
        double next = is_closed ? low.t + 0.5 * (high.t - low.t) : contracted(start, first, low, high);
        if (is_secant_[start]) next = first;
        if (is_second) next = second;
        if (std::isinf(high.t)) next = expand_ * low.t;
        return is_inside(next) ? next : std::nan("");
    }

    bool has_shrunk(int start, const Trial& low, const Trial& high) const {
        return high.t - low.t <= gamma_ * (high_before_.row(start)[0] - low_before_.row(start)[0]);
    }

    // The zero through the end that the first secant made and the one it replaced.
    double second_secant(int start, double t, const Trial& low, const Trial& high) const {
        if (!is_secant_[start]) return std::nan("");
        if (t == low.t) return zero(start, at(low_before_, start), low);
        return t == high.t ? zero(start, at(high_before_, start), high) : std::nan("");
    }

    // The trial below a step too long; far below, as long as nothing was finite.
    double contracted(int start, double zero, const Trial& low, const Trial& high) const {
        const double width = high.t - low.t;
        double share = middle_;
        if (zero > low.t && zero < high.t)
            share = std::clamp((zero - low.t) / width, shrink_most_, middle_);
        if (std::isinf(high.value) && low.t == 0.0) share = trials_[start] > 1 ? shrink_most_ : shrink_least_;
        return low.t + share * width;
    }

    // Where phi' is zero by the line or the cubic through two points.
    double zero(int start, const Trial& one, const Trial& other) const {
        if (is_cubic_ && std::abs(one.value - other.value) > rounding(start)) {
            const double cubic = cubic_minimiser(one, other);
            if (std::isfinite(cubic)) return cubic;
        }
        return secant_zero(one, other);
    }

    Rows<double> step_, origin_, best_, low_, high_, low_before_, high_before_;
    Rows<std::int64_t> trials_;
    Rows<bool> is_last_, is_secant_;
    double delta_, sigma_, expand_, middle_, gamma_, rounding_, shrink_least_, shrink_most_, max_trials_;
    bool is_cubic_;
};

}  // namespace symbreak
