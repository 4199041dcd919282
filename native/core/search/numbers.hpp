// Sums over the parameters of a start, in double and eight side by side, whatever the dtype.
#pragma once

#include <cmath>

namespace symbreak {

template <class T>
double dot(const T* a, const T* b, long n) {
    double sums[8] = {};
    long i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; ++k) sums[k] += static_cast<double>(a[i + k]) * b[i + k];
    for (; i < n; ++i) sums[i % 8] += static_cast<double>(a[i]) * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// The same as the dtype holds it: infinite, or zero, where its range ends.
template <class T>
double dot_in_range(const T* a, const T* b, long n) {
    return static_cast<T>(dot(a, b, n));
}

// The largest |entry|; NaN where one is NaN.
template <class T>
double largest(const T* a, long n) {
    T most = 0;
    bool is_number = true;
    for (long i = 0; i < n; ++i) {
        const T size = std::abs(a[i]);
        is_number &= size == size;
        most = size > most ? size : most;
    }
    return is_number ? static_cast<double>(most) : std::nan("");
}

}  // namespace symbreak
