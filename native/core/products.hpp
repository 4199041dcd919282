// The three products of a pass, over panels of examples held in registers.
//
// Conventions: a panel is two registers of examples; a layer's numbers lie as [panel][unit][example],
// so that no product needs its operands packed. Theta is row-major, (units, 1 + units below).
// Rows of a tile are chosen so that all sums of the tile, and what is added to them, fit the
// registers of the processor: 32 with AVX-512 and NEON, else 16. They stay there only if every loop over
// them is unrolled before the compiler gives out registers, which it must be told.
#pragma once

#include <algorithm>

#include "vector.hpp"

namespace symbreak {

template <class T>
constexpr int kPanel = 2 * kLanes<T>;

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRows = 12;                     // of a tile of the products
constexpr int kDeltas = 4, kUnits = 6;        // of a tile of the gradient
#else
constexpr int kRows = 6;
constexpr int kDeltas = 2, kUnits = 6;
#endif

// A matrix of coefficients by the distance between its rows and its columns: Theta, or its transpose.
template <class T>
struct Coefficients {
    const T* first;
    long row, column;
};

namespace detail {

// out[row][example] = sum over k of c[row][k] in[k][example] for `Rows` rows of one panel
template <class T, int Rows>
void rows_of_panel(Coefficients<T> c, int depth, const T* in, T* out) {
    constexpr int lanes = kLanes<T>;
    Vector<T> low[Rows], high[Rows];
#pragma GCC unroll 32
    for (int row = 0; row < Rows; ++row) low[row] = high[row] = Vector<T>{};
    const T* column = c.first;
    for (int k = 0; k < depth; ++k, column += c.column) {
        Vector<T> x = load<T>(in + k * kPanel<T>);
        Vector<T> y = load<T>(in + k * kPanel<T> + lanes);
        keep<T>(x);
        keep<T>(y);
        for (int row = 0; row < Rows; ++row) {
            Vector<T> w = all<T>(column[row * c.row]);
            keep<T>(w);
            low[row] += w * x;
            high[row] += w * y;
        }
    }
#pragma GCC unroll 32
    for (int row = 0; row < Rows; ++row) {
        store<T>(out + row * kPanel<T>, low[row]);
        store<T>(out + row * kPanel<T> + lanes, high[row]);
    }
}

template <class T>
using RowsOfPanel = void (*)(Coefficients<T>, int, const T*, T*);

template <class T, std::size_t... I>
RowsOfPanel<T> rows_of_panel_for(int rows, std::index_sequence<I...>) {
    static constexpr RowsOfPanel<T> table[] = {rows_of_panel<T, static_cast<int>(I) + 1>...};
    return table[rows - 1];
}

// sums[delta][unit] = sum over examples of delta and a, for `Deltas` x `Units` of them
template <class T, int Deltas, int Units>
void tile_of_gradient(const T* delta, long delta_stride, const T* a, long a_stride, int panels,
                      T* gradient, long row, bool add) {
    constexpr int lanes = kLanes<T>;
    Vector<T> sum[Deltas * Units];
#pragma GCC unroll 32
    for (int i = 0; i < Deltas * Units; ++i) sum[i] = Vector<T>{};
    for (int panel = 0; panel < panels; ++panel, delta += delta_stride, a += a_stride) {
        for (int half = 0; half < kPanel<T>; half += lanes) {
            Vector<T> d[Deltas];
            for (int i = 0; i < Deltas; ++i) {
                d[i] = load<T>(delta + i * kPanel<T> + half);
                keep<T>(d[i]);
            }
            for (int j = 0; j < Units; ++j) {
                Vector<T> x = load<T>(a + j * kPanel<T> + half);
                keep<T>(x);
                for (int i = 0; i < Deltas; ++i) sum[i * Units + j] += d[i] * x;
            }
        }
    }
    T sums[Deltas * Units];
    lane_sums<T, Deltas * Units>(sum, sums);
    for (int i = 0; i < Deltas; ++i)
        for (int j = 0; j < Units; ++j) {
            T& here = gradient[i * row + j];
            here = add ? here + sums[i * Units + j] : sums[i * Units + j];
        }
}

template <class T>
using TileOfGradient = void (*)(const T*, long, const T*, long, int, T*, long, bool);

template <class T, std::size_t... I>
TileOfGradient<T> tile_of_gradient_for(int deltas, int units, std::index_sequence<I...>) {
    static constexpr TileOfGradient<T> table[] = {
        tile_of_gradient<T, static_cast<int>(I) / kUnits + 1, static_cast<int>(I) % kUnits + 1>...};
    return table[(deltas - 1) * kUnits + units - 1];
}

// The size of nearly equal parts of at most `most`.
inline int even(int total, int most) {
    const int parts = (total + most - 1) / most;
    return (total + parts - 1) / parts;
}

}  // namespace detail

// out = c in: (rows, examples) = (rows, depth) (depth, examples) for every panel of a block.
template <class T>
void product(Coefficients<T> c, int rows, int depth, const T* in, long in_stride, T* out,
             long out_stride, int panels) {
    const int size = detail::even(rows, kRows);
    for (int first = 0; first < rows; first += size) {
        const int here = std::min(size, rows - first);
        const auto rows_of_panel =
            detail::rows_of_panel_for<T>(here, std::make_index_sequence<kRows>{});
        const Coefficients<T> part{c.first + first * c.row, c.row, c.column};
        for (int panel = 0; panel < panels; ++panel)
            rows_of_panel(part, depth, in + panel * in_stride,
                          out + panel * out_stride + first * kPanel<T>);
    }
}

// gradient = delta a^T, or is added to: (deltas, units) from (deltas, examples) (examples, units); its
// rows are `row` numbers apart.
template <class T>
void outer_product(const T* delta, int deltas, long delta_stride, const T* a, int units,
                   long a_stride, int panels, T* gradient, long row, bool add) {
    using Indices = std::make_index_sequence<kDeltas * kUnits>;
    if (units == 0) return;
    const int wide = detail::even(units, kUnits), high = detail::even(deltas, kDeltas);
    for (int unit = 0; unit < units; unit += wide) {
        const int columns = std::min(wide, units - unit);
        for (int first = 0; first < deltas; first += high) {
            const int rows = std::min(high, deltas - first);
            detail::tile_of_gradient_for<T>(rows, columns, Indices{})(
                delta + first * kPanel<T>, delta_stride, a + unit * kPanel<T>, a_stride, panels,
                gradient + first * row + unit, row, add);
        }
    }
}

}  // namespace symbreak
