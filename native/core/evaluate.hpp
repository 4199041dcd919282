// J and its gradient of many networks: J = scale sum of w loss + 1/2 sum of strength theta^2.
//
// The examples are cut into at most 16 chunks, by the size of the network and their number alone, and
// the sums over chunks are added in one fixed tree. So the result is the same to the last bit whatever
// the number of threads, of starts and the memory.
#pragma once

#include "pass.hpp"
#include "threads.hpp"

namespace symbreak {

// What is evaluated; pointers of the starts are `theta + start * n`, and so on.
template <class T>
struct Task {
    const Network& network;
    const Examples<T>& examples;
    int starts;
    const T* theta;       // (starts, n)
    const T* weights;     // null, or (m) for each start, weights_stride apart (0: for all the same)
    long weights_stride;
    const T* strength;    // null, or (n) for each start, strength_stride apart
    long strength_stride;
    T scale;
    T* value;             // (starts)
    T* gradient;          // (starts, n), or null for J alone
    double memory;        // bytes that buffers may take; one thread always has what it needs
};

// Multiplications below which a chunk is not worth its sums, and a further thread its waking.
constexpr double kLeastOfChunk = 1.5e5, kLeastOfThread = 1e6;
constexpr int kMostChunks = 16;
// Panels below which products lose their speed.
constexpr int kLeastPanelsOfChunk = 6;
// Bytes that the sums over chunks of one start may take, and that a thread keeps of them.
constexpr double kMostSums = 64e6, kMostKept = 4e6;

template <class T>
class Evaluation {
public:
    explicit Evaluation(const Task<T>& task)
        : task_(task), n_(task.network.n_parameters()), chunks_(chunk_count(task)) {}

    void run(int threads) {
        const double work = 3.0 * task_.starts * n_ * task_.examples.size();
        const double own = Workspace<T>::bytes_for(task_.network) + levels() * gradient_bytes();
        threads = static_cast<int>(std::min({static_cast<double>(threads), 1 + work / kLeastOfThread,
                                             std::max(1.0, task_.memory / own)}));
        const double partial = static_cast<double>(task_.starts) * chunks_ * gradient_bytes();
        if (threads > task_.starts && chunks_ > 1 && partial + threads * own <= task_.memory)
            by_chunks(threads);
        else
            parallel(task_.starts, threads, [&](int start) { by_starts(start); });
    }

private:
    static int chunk_count(const Task<T>& task) {
        const double n = task.network.n_parameters();
        const double work = 3.0 * n * task.examples.size();
        int count = 1, levels = 1;
        while (count < kMostChunks && 2 * count * kLeastPanelsOfChunk <= task.examples.panels() &&
               work >= 2 * count * kLeastOfChunk && levels * n * sizeof(T) <= kMostSums) {
            count *= 2;
            ++levels;
        }
        return count;
    }

    // How many gradients the tree of sums holds beside its result.
    int levels() const {
        int levels = 0;
        while (1 << levels < chunks_) ++levels;
        return task_.gradient == nullptr ? 0 : levels;
    }
    double gradient_bytes() const { return task_.gradient == nullptr ? 0 : n_ * double(sizeof(T)); }

    // Calls `use` with room for the sums of the tree, which a thread keeps where it is small.
    template <class Use>
    void with_sums(const Use& use) const {
        thread_local Room<T> kept;
        Room<T> large;
        const bool is_small = levels() * gradient_bytes() <= kMostKept;
        Room<T>& sums = is_small ? kept : large;
        sums.grow(levels() * n_);
        use(sums.get());
    }

    void by_starts(int start) {
        Workspace<T> room(task_.network);
        auto leaf = [&](int chunk, T* out) { return chunk_sum(room, start, chunk, out); };
        with_sums([&](T* sums) { finish(start, tree(leaf, 0, chunks_, gradient_of(start), sums)); });
    }

    void by_chunks(int threads) {
        Room<T> partial(task_.gradient ? static_cast<std::size_t>(task_.starts) * chunks_ * n_ : 0);
        std::vector<T> values(static_cast<std::size_t>(task_.starts) * chunks_);
        auto place = [&](int item) { return task_.gradient ? partial.get() + item * n_ : nullptr; };
        parallel(task_.starts * chunks_, threads, [&](int item) {
            Workspace<T> room(task_.network);
            values[item] = chunk_sum(room, item / chunks_, item % chunks_, place(item));
        });
        with_sums([&](T* sums) {
            for (int start = 0; start < task_.starts; ++start) {
                auto leaf = [&](int chunk, T* out) {
                    const int item = start * chunks_ + chunk;
                    if (out != nullptr) std::copy_n(place(item), n_, out);
                    return values[item];
                };
                finish(start, tree(leaf, 0, chunks_, gradient_of(start), sums));
            }
        });
    }

    // The sum of `count` leaves from `first` on: of each half, added; `sums` is room for the halves.
    template <class Leaf>
    T tree(const Leaf& leaf, int first, int count, T* out, T* sums) {
        if (count == 1) return leaf(first, out);
        const int half = count / 2;
        const T left = tree(leaf, first, half, out, sums);
        T* other = out == nullptr ? nullptr : sums;
        T* rest = out == nullptr ? nullptr : sums + n_;
        const T right = tree(leaf, first + half, half, other, rest);
        if (out != nullptr)
            for (long i = 0; i < n_; ++i) out[i] += other[i];
        return left + right;
    }

    // The sum of w loss over one chunk, block by block; its gradient is written to `out`.
    T chunk_sum(Workspace<T>& room, int start, int chunk, T* out) {
        const long panels = task_.examples.panels();
        const int first = static_cast<int>(chunk * panels / chunks_);
        const int end = static_cast<int>((chunk + 1) * panels / chunks_);
        const T* weights =
            task_.weights == nullptr ? nullptr : task_.weights + start * task_.weights_stride;
        T sum = 0;
        for (int panel = first; panel < end; panel += room.panels()) {
            Pass<T> pass(task_.network, theta_of(start), task_.examples, room, panel,
                         std::min(room.panels(), end - panel));
            pass.forward(out != nullptr);
            sum += pass.losses(weights);
            if (out != nullptr) pass.backward(out, panel > first);
        }
        return sum;
    }

    // Scales the sums and adds the penalty.
    void finish(int start, T sum) {
        T* gradient = gradient_of(start);
        const T* theta = theta_of(start);
        const T scale = task_.scale;
        const T* strength = task_.strength;
        T value = sum * scale;
        if (strength != nullptr) {
            strength += start * task_.strength_stride;
            value += static_cast<T>(penalty(theta, strength));
        }
        task_.value[start] = value;
        if (gradient == nullptr) return;
        if (strength == nullptr)
            for (long i = 0; i < n_; ++i) gradient[i] *= scale;
        else
            for (long i = 0; i < n_; ++i) gradient[i] = gradient[i] * scale + strength[i] * theta[i];
    }

    // 1/2 sum of strength theta^2, in eight sums side by side; in double, since all are positive and
    // there may be millions.
    double penalty(const T* theta, const T* strength) const {
        double sums[8] = {};
        auto square = [&](long i) { return static_cast<double>(strength[i] * theta[i]) * theta[i]; };
        long i = 0;
        for (; i + 8 <= n_; i += 8)
            for (int k = 0; k < 8; ++k) sums[k] += square(i + k);
        for (; i < n_; ++i) sums[i % 8] += square(i);
        return 0.5 * (((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                      ((sums[4] + sums[5]) + (sums[6] + sums[7])));
    }

    const T* theta_of(int start) const { return task_.theta + start * n_; }
    T* gradient_of(int start) const {
        return task_.gradient == nullptr ? nullptr : task_.gradient + start * n_;
    }

    const Task<T>& task_;
    const long n_;
    const int chunks_;
};

}  // namespace symbreak
