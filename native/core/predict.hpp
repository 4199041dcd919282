// Predictions of many networks, (starts, m, outputs) row-major.
#pragma once

#include "evaluate.hpp"

namespace symbreak {

// Writes link(raw) of one network for all panels of `examples` to `out`, (m, outputs).
template <class T>
void predict_block(const Network& network, const T* theta, const Examples<T>& examples,
                   Workspace<T>& room, T* out) {
    Pass<T>(network, theta, examples, room, 0, examples.panels()).forward(false);
    const int outputs = network.outputs();
    for (int panel = 0; panel < examples.panels(); ++panel) {
        T* raw = room.raw() + panel * room.stride(network.depth());
        for (int half = 0; half < kPanel<T>; half += kLanes<T>)
            link<T>(network.loss.kind, raw + half, outputs, kPanel<T>);
        const long first = static_cast<long>(panel) * kPanel<T>;
        const long count = std::min<long>(kPanel<T>, examples.size() - first);
        for (long i = 0; i < count; ++i)
            for (int k = 0; k < outputs; ++k)
                out[(first + i) * outputs + k] = raw[k * kPanel<T> + i];
    }
}

// Packs the rows (m, 1 + features) block by block, each once for all networks.
template <class T>
void predict(const Network& network, typename Examples<T>::Source rows, long m, int starts,
             const T* theta, T* out, int threads) {
    const long n = network.n_parameters(), size = m * network.outputs();
    const long block = static_cast<long>(Workspace<T>::panels_for(network)) * kPanel<T>;
    const double work = static_cast<double>(starts) * n * m;
    threads = static_cast<int>(std::min<double>(threads, 1 + work / kLeastOfThread));
    parallel(static_cast<int>((m + block - 1) / block), threads, [&](int item) {
        const long first = item * block;
        Examples<T> examples(1 + network.features(), 0);
        examples.fill(std::min(block, m - first),
                      {rows.first + first * rows.by_example, rows.by_example, rows.by_row},
                      {nullptr, 0, 0});
        Workspace<T> room(network);
        for (int start = 0; start < starts; ++start)
            predict_block<T>(network, theta + start * n, examples, room,
                             out + start * size + first * network.outputs());
    });
}

}  // namespace symbreak
