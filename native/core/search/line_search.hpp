// A direction and a line search along it, for one start; conventions are those of
// `optimize/steppers/line_search.py`.
#pragma once

#include "hager_zhang.hpp"
#include "lbfgs.hpp"

namespace symbreak {

// L-BFGS with the search of Hager and Zhang. A tick is one trial.
template <class T>
class LineSearchStepper {
public:
    LineSearchStepper(const State& state, const Settings& settings, const Problem<T>& problem)
        : problem_(problem), n_(problem.n()), direction_(state, "stepper.direction", n_),
          search_(state, settings, "stepper.search"), along_(state.rows<T>("stepper.along", n_)),
          is_steepest_(state.rows<bool>("stepper._is_steepest")),
          slope_(state.rows<double>("stepper._slope")), change_(state.rows<double>("stepper._change")) {}

    // Multiplications of an evaluation between which a start cannot share its work.
    double work() const { return 3.0 * n_ * problem_.examples->size(); }

    // Goes on from `here`, which was reached from `before`.
    void advance(int start, const Point<T>& before, const Point<T>& here) const {
        direction_.update(start, before, here, along_.row(start));
        is_steepest_[start] = false;
        begin(start, here);
    }

    // Writes theta + step direction, J and its gradient there.
    void trial(int start, int, const Point<T>& here, Point<T>& trial, int threads) const {
        const T step = static_cast<T>(search_.step(start));
        const T* along = along_.row(start);
        for (long i = 0; i < n_; ++i) trial.theta[i] = here.theta[i] + step * along[i];
        trial.value = problem_.evaluate(start, trial.theta, trial.gradient, threads);
        trial.norm = largest(trial.gradient, n_);
    }

    // Lets the search decide; sends a start whose search failed along steepest descent once.
    Verdict judge(int start, const Point<T>& here, const Point<T>& trial) const {
        const double step = search_.step(start);
        const Verdict said = search_.judge(start, trial.value, slope_at(start, trial));
        if (said == Verdict::accepted) change_[start] = step * slope_[start];
        if (said != Verdict::failed || is_steepest_[start]) return said;
        steepest(start, here);
        begin(start, here);
        return Verdict::again;
    }

    bool has_ended(int) const { return false; }

private:
    double slope_at(int start, const Point<T>& point) const {
        return dot_in_range(point.gradient, along_.row(start), n_);
    }

    void begin(int start, const Point<T>& here) const {
        double slope = slope_at(start, here);
        if (!(slope < 0.0)) {
            steepest(start, here);
            slope = slope_at(start, here);
        }
        const double least = std::numeric_limits<T>::min();
        if (slope == -std::numeric_limits<double>::infinity() || (is_steepest_[start] && slope > -least)) {
            shorten(start, here);
            slope = slope_at(start, here);
        }
        slope_[start] = slope;
        search_.begin(start, here.value, slope, is_steepest_[start] ? unit_step(start) : 1.0);
    }

    // Divides the direction by the size of the gradient, so that its slope is a number.
    void shorten(int start, const Point<T>& here) const {
        T* along = along_.row(start);
        if (!std::all_of(along, along + n_, [](T x) { return std::isfinite(x); })) steepest(start, here);
        for (long i = 0; i < n_; ++i) along[i] /= static_cast<T>(here.norm);
    }

    double unit_step(int start) const {
        const T* along = along_.row(start);
        return 1.0 / static_cast<T>(std::sqrt(dot(along, along, n_)));
    }

    void steepest(int start, const Point<T>& here) const {
        direction_.restart(start);
        std::transform(here.gradient, here.gradient + n_, along_.row(start), [](T x) { return -x; });
        is_steepest_[start] = true;
    }

    const Problem<T>& problem_;
    long n_;
    LBFGS<T> direction_;
    HagerZhang search_;
    Rows<T> along_;
    Rows<bool> is_steepest_;
    Rows<double> slope_, change_;
};

}  // namespace symbreak
