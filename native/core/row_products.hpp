// The gradient of the first layer from rows of examples as they were given, (examples, 1 + features).
//
// Conventions: those of products.hpp; delta lies in panels, a row of an example is contiguous. Registers
// run along the features, so that no sum over lanes is needed, which is dear where examples are few.
#pragma once

#include "products.hpp"

namespace symbreak {

namespace detail {

// gradient[delta][k] = sum over examples of delta and row[first + k], for `Deltas` rows and `Vectors`
// registers
template <class T, int Deltas, int Vectors>
void tile_of_rows(const T* delta, long delta_stride, const T* const* rows, int first, long examples,
                  T* gradient, long row, bool add) {
    constexpr int lanes = kLanes<T>;
    Vector<T> sum[Deltas * Vectors];
#pragma GCC unroll 32
    for (int i = 0; i < Deltas * Vectors; ++i) sum[i] = Vector<T>{};
    for (long example = 0; example < examples; ++example) {
        const T* d = delta + example / kPanel<T> * delta_stride + example % kPanel<T>;
        Vector<T> x[Vectors];
        for (int v = 0; v < Vectors; ++v) {
            x[v] = load_anywhere<T>(rows[example] + first + v * lanes);
            keep<T>(x[v]);
        }
        for (int i = 0; i < Deltas; ++i) {
            Vector<T> w = all<T>(d[i * kPanel<T>]);
            keep<T>(w);
            for (int v = 0; v < Vectors; ++v) sum[i * Vectors + v] += w * x[v];
        }
    }
#pragma GCC unroll 32
    for (int i = 0; i < Deltas; ++i)
#pragma GCC unroll 32
        for (int v = 0; v < Vectors; ++v) {
            T* here = gradient + i * row + v * lanes;
            store_anywhere<T>(here, add ? load_anywhere<T>(here) + sum[i * Vectors + v] : sum[i * Vectors + v]);
        }
}

template <class T>
using TileOfRows = void (*)(const T*, long, const T* const*, int, long, T*, long, bool);

template <class T, int Vectors, std::size_t... I>
TileOfRows<T> tile_of_rows_for(int deltas, std::index_sequence<I...>) {
    static constexpr TileOfRows<T> table[] = {tile_of_rows<T, static_cast<int>(I) + 1, Vectors>...};
    return table[deltas - 1];
}

}  // namespace detail

// Writes, or adds, the columns of delta row^T that fill registers; returns how many they are.
template <class T>
int gradient_of_rows(const T* delta, int deltas, long delta_stride, const T* const* rows, int columns,
                     long examples, T* gradient, bool add) {
    constexpr int lanes = kLanes<T>;
    using Indices = std::make_index_sequence<kRows>;
    const int high = detail::even(deltas, kRows);
    int done = 0;
    while (columns - done >= lanes) {
        const int vectors = columns - done >= 2 * lanes ? 2 : 1;
        for (int first = 0; first < deltas; first += high) {
            const int here = std::min(high, deltas - first);
            const auto tile = vectors == 2 ? detail::tile_of_rows_for<T, 2>(here, Indices{})
                                           : detail::tile_of_rows_for<T, 1>(here, Indices{});
            tile(delta + first * kPanel<T>, delta_stride, rows, done, examples,
                 gradient + static_cast<long>(first) * columns + done, columns, add);
        }
        done += vectors * lanes;
    }
    return done;
}

}  // namespace symbreak
