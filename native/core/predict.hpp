// Predictions of many networks, (starts, m, outputs) row-major.
#pragma once

#include "pass.hpp"
#include "threads.hpp"

namespace symbreak {

// Writes link(raw) of one network for one block of panels to `out`, (m, outputs).
template <class T>
void predict_block(const Network& network, const T* theta, const Examples<T>& examples,
                   Workspace<T>& room, int first, int panels, T* out) {
    Pass<T>(network, theta, examples, room, first, panels).forward(false);
    const int outputs = network.outputs();
    for (int panel = 0; panel < panels; ++panel) {
        T* raw = room.raw() + panel * room.stride(network.depth());
        for (int half = 0; half < kPanel<T>; half += kLanes<T>)
            link<T>(network.loss.kind, raw + half, outputs, kPanel<T>);
        const long example = static_cast<long>(first + panel) * kPanel<T>;
        const long count = std::min<long>(kPanel<T>, examples.size() - example);
        for (long i = 0; i < count; ++i)
            for (int k = 0; k < outputs; ++k)
                out[(example + i) * outputs + k] = raw[k * kPanel<T> + i];
    }
}

template <class T>
void predict(const Network& network, const Examples<T>& examples, int starts, const T* theta, T* out,
             int threads) {
    const long n = network.n_parameters(), size = examples.size() * network.outputs();
    const int block = Workspace<T>::panels_for(network), panels = examples.panels();
    const int blocks = (panels + block - 1) / block;
    const double work = static_cast<double>(starts) * n * examples.size();
    constexpr double kLeastOfThread = 1.5e5;
    threads = static_cast<int>(std::min<double>(threads, 1 + work / kLeastOfThread));
    parallel(starts * blocks, threads, [&](int item) {
        Workspace<T> room(network);
        const int start = item / blocks, first = item % blocks * block;
        predict_block<T>(network, theta + start * n, examples, room, first,
                         std::min(block, panels - first), out + start * size);
    });
}

}  // namespace symbreak
