// The limited-memory BFGS direction of one start; conventions are those of
// `optimize/directions/lbfgs.py` and `curvature_pairs.py`.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "endings.hpp"

namespace symbreak {

// s = theta moves and y = gradient changes, both over one number; whether they are curved.
struct Curvature {
    double ss, yy, sy;

    bool is_between(double low, double high) const {
        return ss > low && ss < high && yy > low && yy < high;
    }
    bool is_positive(double eps) const { return sy > eps * std::sqrt(ss) * std::sqrt(yy); }
};

template <class T>
class LBFGS {
public:
    LBFGS(const State& state, const std::string& at, long n)
        : n_(n), curvature_(state.rows<double>(at + "._curvature", 0)), memory_(curvature_.width()),
          inverse_(state.rows<double>(at + "._inverse", memory_ * memory_)),
          yy_(state.rows<double>(at + "._yy", memory_ * memory_)),
          gamma_(state.rows<double>(at + "._gamma")), clock_(state.rows<std::int64_t>(at + "._clock")),
          pairs_(state.rows<T>(at + "._pairs", 2 * memory_ * n)) {}

    // Stores the pair of the step from `before` to `here` and writes -H g to `along`.
    void update(int start, const Point<T>& before, const Point<T>& here, T* along) const {
        thread_local Room<T> room;
        room.grow(2 * n_);
        T *s = room.get(), *y = s + n_;
        for (long i = 0; i < n_; ++i) {
            s[i] = here.theta[i] - before.theta[i];
            y[i] = here.gradient[i] - before.gradient[i];
        }
        const bool is_stored = scale(s, y);
        const long slot = clock_[start] % memory_;
        if (is_stored) {
            std::copy_n(s, n_, pair(start, slot));
            std::copy_n(y, n_, pair(start, memory_ + slot));
            ++clock_[start];
        }
        thread_local std::vector<double> sums;
        sums.resize(4 * memory_);
        double *with_y = sums.data(), *with_g = with_y + 2 * memory_;
        dots(pair(start, 0), 2 * memory_, y, here.gradient, n_, with_y, with_g);
        if (is_stored) remember(start, slot, with_y);
        direction(start, with_g, here.gradient, along);
    }

    // Empties the memory.
    void restart(int start) const {
        std::fill_n(inverse_.row(start), memory_ * memory_, 0.0);
        std::fill_n(curvature_.row(start), memory_, 0.0);
        std::fill_n(yy_.row(start), memory_ * memory_, 0.0);
        std::fill_n(pairs_.row(start), 2 * memory_ * n_, T(0));
        gamma_[start] = 1.0;
    }

private:
    using Range = std::numeric_limits<T>;

    T* pair(int start, long row) const { return pairs_.row(start) + row * n_; }

    // y lies behind s.
    Curvature curvature(const T* s, const T* y) const {
        double with_s[2], with_y[2];
        dots(s, 2, s, y, n_, with_s, with_y);
        return {in_range(with_s[0]), in_range(with_y[1]), in_range(with_y[0])};
    }
    // A sum as the dtype holds it.
    static double in_range(double sum) { return static_cast<T>(sum); }

    // Divides a pair by one number where its squares leave the range; returns whether it is curved.
    bool scale(T* s, T* y) const {
        const double eps = Range::epsilon(), margin = Range::min() / (eps * eps);
        const Curvature found = curvature(s, y);
        if (found.is_between(margin, 1.0 / margin)) return found.is_positive(eps);
        const double power_s = power_near(largest(s, n_)), power_y = power_near(largest(y, n_));
        const double ratio = largest(s, n_) * power_y;
        if (!(ratio > Range::min() / eps && ratio < eps * Range::max())) return false;
        thread_local Room<T> room;
        room.grow(2 * n_);
        T *s_unit = room.get(), *y_unit = s_unit + n_;
        for (long i = 0; i < n_; ++i) {
            s_unit[i] = s[i] * static_cast<T>(power_s);
            y_unit[i] = y[i] * static_cast<T>(power_y);
            s[i] *= static_cast<T>(power_y);
            y[i] = y_unit[i];
        }
        return curvature(s_unit, y_unit).is_positive(eps);
    }

    // A power of two near 1 / size.
    static double power_near(double size) {
        int exponent = 0;
        if (std::isfinite(size)) std::frexp(size, &exponent);
        const double least = Range::min();
        return std::clamp(std::ldexp(1.0, -exponent), least, 1.0 / least);
    }

    // Puts the products with the new pair into R^-1 and Y^T Y.
    void remember(int start, long slot, const double* with_y) const {
        const long m = memory_;
        double *inverse = inverse_.row(start), *yy = yy_.row(start);
        const double sy = with_y[slot];
        for (long i = 0; i < m; ++i) inverse[slot * m + i] = inverse[i * m + slot] = 0.0;
        for (long i = 0; i < m; ++i) {
            const double sum = dot(inverse + i * m, with_y, m);  // to which the slot, still zero, adds nothing
            inverse[i * m + slot] = i == slot ? 1.0 / sy : -sum / sy;
            yy[i * m + slot] = yy[slot * m + i] = with_y[m + i];
        }
        curvature_.row(start)[slot] = sy;
        gamma_[start] = sy / with_y[m + slot];
    }

    // with_g : S^T g, then Y^T g
    void direction(int start, const double* with_g, const T* gradient, T* along) const {
        const long m = memory_;
        const double *inverse = inverse_.row(start), *yy = yy_.row(start);
        const double gamma = gamma_[start];
        thread_local std::vector<double> sums;
        thread_local std::vector<T> weights;
        sums.assign(3 * m, 0.0);
        weights.resize(2 * m);
        double *p = sums.data(), *inner = p + m, *q = inner + m;
        for (long i = 0; i < m; ++i) p[i] = dot(inverse + i * m, with_g, m);
        for (long i = 0; i < m; ++i) {
            double sum = -with_g[m + i];
            for (long j = 0; j < m; ++j) sum += yy[i * m + j] * p[j];
            inner[i] = curvature_.row(start)[i] * p[i] + gamma * sum;
        }
        for (long i = 0; i < m; ++i)
            for (long j = 0; j < m; ++j) q[j] += inverse[i * m + j] * inner[i];
        for (long i = 0; i < n_; ++i) along[i] = -static_cast<T>(gamma) * gradient[i];
        for (long row = 0; row < m; ++row) {
            weights[row] = static_cast<T>(-q[row]);
            weights[m + row] = static_cast<T>(gamma * p[row]);
        }
        add_rows(pairs_.row(start), weights.data(), 2 * m, along, n_);
    }

    long n_;
    Rows<double> curvature_;
    long memory_;
    Rows<double> inverse_, yy_, gamma_;
    Rows<std::int64_t> clock_;
    Rows<T> pairs_;
};

}  // namespace symbreak
