// J and its gradient of many networks: J = scale sum of w loss + 1/2 sum of strength theta^2.
//
// The examples are cut into at most 16 chunks, by the amount of work alone, and the sums over chunks
// are added in one fixed tree. So the result is the same to the last bit whatever the number of
// threads and of starts.
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
};

// Multiplications below which a chunk is not worth its sums, or a thread its waking.
constexpr double kLeastOfChunk = 1.5e5;
constexpr int kMostChunks = 16;

template <class T>
class Evaluation {
public:
    explicit Evaluation(const Task<T>& task)
        : task_(task), n_(task.network.n_parameters()), chunks_(chunk_count(task)) {}

    void run(int threads) {
        const double work = 3.0 * task_.starts * n_ * task_.examples.size();
        threads = static_cast<int>(std::min<double>(threads, 1 + work / kLeastOfChunk));
        if (threads > task_.starts && chunks_ > 1)
            by_chunks(threads);
        else
            parallel(task_.starts, threads, [&](int start) { by_starts(start); });
    }

private:
    static int chunk_count(const Task<T>& task) {
        const double work = 3.0 * task.network.n_parameters() * task.examples.size();
        int count = 1;
        while (count < kMostChunks && 2 * count <= task.examples.panels() &&
               work >= 2 * count * kLeastOfChunk)
            count *= 2;
        return count;
    }

    void by_starts(int start) {
        Workspace<T> room(task_.network);
        thread_local Room<T> sums;
        sums.grow(task_.gradient != nullptr && chunks_ > 1 ? kLevels * n_ : 0);
        T* gradient = gradient_of(start);
        auto leaf = [&](int chunk, T* out) { return chunk_sum(room, start, chunk, out); };
        finish(start, tree(leaf, 0, chunks_, gradient, sums.get()));
    }

    void by_chunks(int threads) {
        Room<T> partial(task_.gradient ? static_cast<std::size_t>(task_.starts) * chunks_ * n_ : 0);
        std::vector<T> values(static_cast<std::size_t>(task_.starts) * chunks_);
        auto place = [&](int item) { return task_.gradient ? partial.get() + item * n_ : nullptr; };
        parallel(task_.starts * chunks_, threads, [&](int item) {
            Workspace<T> room(task_.network);
            values[item] = chunk_sum(room, item / chunks_, item % chunks_, place(item));
        });
        Room<T> sums(task_.gradient ? kLevels * n_ : 0);
        for (int start = 0; start < task_.starts; ++start) {
            auto leaf = [&](int chunk, T* out) {
                const int item = start * chunks_ + chunk;
                if (out != nullptr) std::copy_n(place(item), n_, out);
                return values[item];
            };
            finish(start, tree(leaf, 0, chunks_, gradient_of(start), sums.get()));
        }
    }

    // The sum of `count` leaves from `first` on: of each half, added; `sums` is room for the halves.
    template <class Leaf>
    T tree(const Leaf& leaf, int first, int count, T* out, T* sums) {
        if (count == 1) return leaf(first, out);
        const int half = count / 2;
        const T left = tree(leaf, first, half, out, sums);
        T* other = out == nullptr ? nullptr : sums;
        const T right = tree(leaf, first + half, half, other, sums + n_);
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
        if (gradient != nullptr)
            for (long i = 0; i < n_; ++i) gradient[i] *= task_.scale;
        T value = sum * task_.scale;
        if (task_.strength != nullptr)
            value += penalty(theta, task_.strength + start * task_.strength_stride, gradient);
        task_.value[start] = value;
    }

    // 1/2 sum of strength theta^2, in eight sums side by side.
    T penalty(const T* theta, const T* strength, T* gradient) {
        T sums[8] = {};
        for (long i = 0; i < n_; ++i) {
            const T slope = strength[i] * theta[i];
            sums[i % 8] += slope * theta[i];
            if (gradient != nullptr) gradient[i] += slope;
        }
        return T(0.5) * (((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                         ((sums[4] + sums[5]) + (sums[6] + sums[7])));
    }

    const T* theta_of(int start) const { return task_.theta + start * n_; }
    T* gradient_of(int start) const {
        return task_.gradient == nullptr ? nullptr : task_.gradient + start * n_;
    }

    static constexpr int kLevels = 4;  // log2 of kMostChunks
    const Task<T>& task_;
    const long n_;
    const int chunks_;
};

}  // namespace symbreak
