// Sums over the parameters of a start, in double and many side by side, whatever the dtype.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../vector.hpp"

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

inline double sum_of_eight(Eight<double>::Vector x) {
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
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
    double sum = sum_of_eight((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

// A register of numbers in double.
template <class T>
inline Vector<double> load_in_double(const T* from) {
    typedef T Few __attribute__((vector_size(kLanes<double> * sizeof(T))));
    Few x;
    std::memcpy(&x, from, sizeof x);
    return __builtin_convertvector(x, Vector<double>);
}

// sums[row] = rows[row] a, sums[Rows + row] = rows[row] b
template <class T, int Rows>
void dots_of_rows(const T* rows, const T* a, const T* b, long n, double* sums) {
    Vector<double> sum[2 * Rows];
#pragma GCC unroll 32
    for (int i = 0; i < 2 * Rows; ++i) sum[i] = Vector<double>{};
    long i = 0;
    for (; i + kLanes<double> <= n; i += kLanes<double>) {
        Vector<double> x = load_in_double(a + i), y = load_in_double(b + i);
        keep<double>(x);
        keep<double>(y);
#pragma GCC unroll 32
        for (int row = 0; row < Rows; ++row) {
            Vector<double> here = load_in_double(rows + row * n + i);
            keep<double>(here);
            sum[row] += here * x;
            sum[Rows + row] += here * y;
        }
    }
    lane_sums<double, 2 * Rows>(sum, sums);
    for (; i < n; ++i)
        for (int row = 0; row < Rows; ++row) {
            sums[row] += static_cast<double>(rows[row * n + i]) * a[i];
            sums[Rows + row] += static_cast<double>(rows[row * n + i]) * b[i];
        }
}

// The products of an even number of rows, n apart, with a and with b: of some rows at a time, so that a and
// b are read less often, and sums hide the latency of each other.
template <class T>
void dots(const T* rows, long count, const T* a, const T* b, long n, double* with_a, double* with_b) {
    long row = 0;
    auto some = [&](auto here) {
        double sums[2 * here];
        dots_of_rows<T, here>(rows + row * n, a, b, n, sums);
        std::copy_n(sums, +here, with_a + row);
        std::copy_n(sums + here, +here, with_b + row);
        row += here;
    };
    while (row + 4 <= count) some(std::integral_constant<int, 4>{});
    while (row < count) some(std::integral_constant<int, 2>{});
}

// Adds the sum of weights[row] rows[row] to `Count` times eight numbers, which stay in registers.
template <class T, int Count>
inline void add_to_stretch(const T* rows, const T* weights, long count, T* out, long n) {
    using Vector = typename Eight<T>::Vector;
    Vector sums[Count], x;
    std::memcpy(sums, out, sizeof sums);
    for (long row = 0; row < count; ++row)
        for (int k = 0; k < Count; ++k) {
            std::memcpy(&x, rows + row * n + k * kEight, sizeof x);
            sums[k] += weights[row] * x;
        }
    std::memcpy(out, sums, sizeof sums);
}

// Adds the sum of weights[row] rows[row] to `out`, rows n apart: a stretch at a time for all rows.
template <class T>
void add_rows(const T* rows, const T* weights, long count, T* out, long n) {
    long i = 0;
    for (; i + 4 * kEight <= n; i += 4 * kEight) add_to_stretch<T, 4>(rows + i, weights, count, out + i, n);
    for (; i + kEight <= n; i += kEight) add_to_stretch<T, 1>(rows + i, weights, count, out + i, n);
    for (; i < n; ++i) {
        T sum = out[i];
        for (long row = 0; row < count; ++row) sum += weights[row] * rows[row * n + i];
        out[i] = sum;
    }
}

// The same as the dtype holds it: infinite, or zero, where its range ends.
template <class T>
double dot_in_range(const T* a, const T* b, long n) {
    return static_cast<T>(dot(a, b, n));
}

// The largest |entry|; NaN where one is NaN. The bits of numbers that are not negative are in the order of
// the numbers, those of NaN beyond infinity, and their maximum is one that a compiler may reorder.
template <class T>
double largest(const T* a, long n) {
    Bits<T> most = 0;
    for (long i = 0; i < n; ++i) {
        const T size = std::abs(a[i]);
        Bits<T> bits;
        std::memcpy(&bits, &size, sizeof bits);
        most = std::max(most, bits);
    }
    T size;
    std::memcpy(&size, &most, sizeof size);
    return static_cast<double>(size);
}

}  // namespace symbreak
