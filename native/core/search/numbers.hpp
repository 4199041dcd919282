// Sums over the parameters of a start, in double and many side by side, whatever the dtype.
#pragma once

#include <cmath>
#include <cstring>

namespace symbreak {

// Eight numbers, which a compiler cuts into the registers that there are.
template <class T>
struct Eight {
    typedef T Vector __attribute__((vector_size(8 * sizeof(T))));
};
constexpr long kEight = 8;

template <class T>
inline typename Eight<double>::Vector load_eight(const T* from) {
    typename Eight<T>::Vector x;
    std::memcpy(&x, from, sizeof x);
    return __builtin_convertvector(x, typename Eight<double>::Vector);
}

// Four sums of eight side by side hide the latency of an addition.
template <class T>
double dot(const T* a, const T* b, long n) {
    typename Eight<double>::Vector sums[4] = {};
    long i = 0;
    for (; i + 4 * kEight <= n; i += 4 * kEight)
        for (int k = 0; k < 4; ++k)
            sums[k] += load_eight(a + i + k * kEight) * load_eight(b + i + k * kEight);
    for (; i + kEight <= n; i += kEight) sums[0] += load_eight(a + i) * load_eight(b + i);
    sums[0] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    double sum = 0;
    for (int k = 0; k < kEight; ++k) sum += sums[0][k];
    for (; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

// Adds the sum of weights[row] rows[row] to `out`, rows n apart: a stretch of them at a time for all rows,
// which stays in registers.
template <class T>
void add_rows(const T* rows, const T* weights, long count, T* out, long n) {
    using Vector = typename Eight<T>::Vector;
    long i = 0;
    for (; i + 4 * kEight <= n; i += 4 * kEight) {
        Vector sums[4], x;
        std::memcpy(sums, out + i, sizeof sums);
        for (long row = 0; row < count; ++row)
            for (int k = 0; k < 4; ++k) {
                std::memcpy(&x, rows + row * n + i + k * kEight, sizeof x);
                sums[k] += weights[row] * x;
            }
        std::memcpy(out + i, sums, sizeof sums);
    }
    for (long row = 0; row < count; ++row)
        for (long j = i; j < n; ++j) out[j] += weights[row] * rows[row * n + j];
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
