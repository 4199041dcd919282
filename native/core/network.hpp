// What a network is, and the examples it sees, as a pass needs them.
//
// Conventions: layers = (features, hidden..., outputs); Theta(l) is row-major, (units, 1 + units
// below), the bias in column 0; theta holds one after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "losses.hpp"
#include "memory.hpp"
#include "row_products.hpp"

namespace symbreak {

struct Network {
    std::vector<int> layers;
    std::vector<Activation> activations;
    LossOf loss;

    int depth() const { return static_cast<int>(layers.size()) - 1; }  // matrices
    int features() const { return layers.front(); }
    int outputs() const { return layers.back(); }
    int target_rows() const { return loss.kind == Loss::cross_entropy ? 1 : outputs(); }
    // Theta(layer), layer from 0 on: its size and its place in theta
    long matrix_size(int layer) const { return static_cast<long>(layers[layer + 1]) * (1 + layers[layer]); }
    long offset(int layer) const {
        long sum = 0;
        for (int below = 0; below < layer; ++below) sum += matrix_size(below);
        return sum;
    }
    long n_parameters() const { return offset(depth()); }
};

// Rows and targets of m examples, in panels; the last is filled up with zeros. Rows that were given one
// after the other, each contiguous, are known by their places too; they must stay there.
template <class T>
class Examples {
public:
    // A source of numbers: element (example, row) lies at first[example * by_example + row * by_row].
    struct Source {
        const T* first;
        long by_example, by_row;
    };

    Examples(int row_count, int target_rows) : row_count_(row_count), target_rows_(target_rows) {}

    void fill(long m, Source rows, Source targets) {
        resize(m);
        given_.clear();
        for (long i = 0; rows.by_row == 1 && i < m; ++i) given_.push_back(rows.first + i * rows.by_example);
        for (int panel = 0; panel < panels(); ++panel) {
            fill_panel(rows_.get() + panel * row_stride(), row_count_, rows, panel);
            fill_panel(targets_.get() + panel * target_stride(), target_rows_, targets, panel);
        }
    }

    // Takes the examples of these indices from others.
    void pick(const Examples& others, const std::int64_t* indices, long m) {
        resize(m);
        given_.clear();
        for (long i = 0; i < m; ++i) {
            if (indices[i] < 0 || indices[i] >= others.m_)
                throw std::out_of_range("indices of examples must be 0 .. m - 1");
            copy(lane(targets_, target_rows_, i), lane(others.targets_, target_rows_, indices[i]),
                 target_rows_);
            if (others.given() != nullptr)
                given_.push_back(others.given_[indices[i]]);
            else
                copy(lane(rows_, row_count_, i), lane(others.rows_, row_count_, indices[i]), row_count_);
        }
        for (int panel = 0; given() != nullptr && panel < panels(); ++panel) transpose(panel);
    }

    long size() const { return m_; }
    int panels() const { return static_cast<int>((m_ + kPanel<T> - 1) / kPanel<T>); }
    int row_count() const { return row_count_; }
    int target_rows() const { return target_rows_; }
    const T* rows(int panel) const { return rows_.get() + row_stride() * panel; }
    const T* targets(int panel) const { return targets_.get() + target_stride() * panel; }
    long row_stride() const { return static_cast<long>(row_count_) * kPanel<T>; }
    // The places of the rows as they were given, (m); null where they are not contiguous.
    const T* const* given() const { return given_.empty() ? nullptr : given_.data(); }
    long target_stride() const { return static_cast<long>(target_rows_) * kPanel<T>; }

private:
    void fill_panel(T* to, int count, Source from, int panel) {
        const long first = static_cast<long>(panel) * kPanel<T>;
        const long here = std::min<long>(kPanel<T>, m_ - first);
        for (int k = 0; k < count; ++k, to += kPanel<T>)
            for (long i = 0; i < here; ++i)
                to[i] = from.first[(first + i) * from.by_example + k * from.by_row];
    }
    // Fills a panel from the rows as they were given: some numbers of all of them at a time, so that both
    // sides stay in the cache.
    void transpose(int panel) {
        constexpr int some = 64 / sizeof(T);
        const long first = static_cast<long>(panel) * kPanel<T>;
        const long here = std::min<long>(kPanel<T>, m_ - first);
        T* to = rows_.get() + panel * row_stride();
        for (int k = 0; k < row_count_; k += some)
            for (long i = 0; i < here; ++i)
                for (int j = k; j < std::min(k + some, row_count_); ++j)
                    to[j * kPanel<T> + i] = given_[first + i][j];
    }
    static T* lane(const Room<T>& room, int rows, long example) {
        return room.get() + example / kPanel<T> * rows * kPanel<T> + example % kPanel<T>;
    }
    static void copy(T* to, const T* from, int rows) {
        for (int k = 0; k < rows; ++k) to[k * kPanel<T>] = from[k * kPanel<T>];
    }
    void resize(long m) {
        m_ = m;
        rows_.grow(panels() * row_stride());
        targets_.grow(panels() * target_stride());
        if (m % kPanel<T> == 0) return;
        std::fill_n(rows_.get() + (panels() - 1) * row_stride(), row_stride(), T(0));
        std::fill_n(targets_.get() + (panels() - 1) * target_stride(), target_stride(), T(0));
    }

    int row_count_, target_rows_;
    long m_ = 0;
    Room<T> rows_, targets_;
    std::vector<const T*> given_;
};

}  // namespace symbreak
