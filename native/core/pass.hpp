// Forward and backward pass of one network over some panels of examples.
//
// Conventions: a block is as many panels as fit the cache. `with_one` of a layer holds [1; a] for each
// panel of a block; delta(l) = W(l)^T delta(l+1) g'; gradient(l) = delta(l+1) [1; a(l)]^T, summed over
// examples. Weights w multiply loss and delta.
#pragma once

#include "network.hpp"

namespace symbreak {

// Bytes of a block: about half of a second-level cache of today's processors.
constexpr long kBlockBytes = 512 * 1024;
constexpr int kLeastPanels = 8, kMostPanels = 64;
// Panels of a product and what follows it at once, so that it finds them in the first-level cache.
constexpr int kFewPanels = 8;
// Bytes of rows that stay in a cache, and units above which rows are worth it that come from memory.
constexpr double kCachedRows = 2e6;
constexpr int kLeastFromMemory = 64;

// The buffers of a block for one network, in memory that each thread keeps from call to call; a thread
// may have one workspace of a type at a time.
template <class T>
class Workspace {
public:
    explicit Workspace(const Network& network) : network_(network), panels_(panels_for(network)) {
        thread_local Room<T> memory;
        memory.grow(panels_ * numbers_per_panel(network));
        T* next = memory.get();
        auto take = [&](long rows) { return std::exchange(next, next + panels_ * rows * kPanel<T>); };
        for (int layer = 1; layer < network.depth(); ++layer) {
            const int units = network.layers[layer];
            with_one_.push_back(take(1 + units));
            delta_.push_back(take(units));
            slope_.push_back(needs_input(network.activations[layer - 1]) ? take(units) : nullptr);
            for (int panel = 0; panel < panels_; ++panel)
                std::fill_n(with_one(layer) + panel * one_stride(layer), kPanel<T>, T(1));
        }
        delta_.push_back(take(network.outputs()));
    }

    static int panels_for(const Network& network) {
        const long rows = (1 + network.features()) * static_cast<long>(kPanel<T>);
        const long bytes = (rows + numbers_per_panel(network)) * static_cast<long>(sizeof(T));
        return static_cast<int>(std::clamp<long>(kBlockBytes / bytes, kLeastPanels, kMostPanels));
    }

    static long bytes_for(const Network& network) {
        return panels_for(network) * numbers_per_panel(network) * static_cast<long>(sizeof(T));
    }

    int panels() const { return panels_; }
    // Numbers from one panel to the next: of z and delta, and of [1; a].
    long stride(int layer) const { return static_cast<long>(network_.layers[layer]) * kPanel<T>; }
    long one_stride(int layer) const { return stride(layer) + kPanel<T>; }
    T* with_one(int layer) const { return with_one_[layer - 1]; }
    T* delta(int layer) const { return delta_[layer - 1]; }
    T* slope(int layer) const { return slope_[layer - 1]; }
    T* raw() const { return delta_.back(); }  // delta of the last layer takes its place

private:
    static long numbers_per_panel(const Network& network) {
        long rows = network.outputs();
        for (int layer = 1; layer < network.depth(); ++layer)
            rows += 1 + network.layers[layer] * (2 + needs_input(network.activations[layer - 1]));
        return rows * kPanel<T>;
    }

    const Network& network_;
    int panels_;
    std::vector<T*> with_one_, delta_, slope_;
};

// One pass over one block.
template <class T>
class Pass {
public:
    Pass(const Network& network, const T* theta, const Examples<T>& examples, Workspace<T>& room,
         int first, int panels)
        : network_(network), theta_(theta), examples_(examples), room_(room), first_(first),
          panels_(panels) {}

    // Fills [1; a] of every layer and raw; `keep_slopes` for a way back.
    void forward(bool keep_slopes) {
        const int depth = network_.depth();
        for (int layer = 0; layer < depth; ++layer) {
            const int units = network_.layers[layer + 1], width = 1 + network_.layers[layer];
            const bool is_last = layer + 1 == depth;
            T* out = is_last ? room_.raw() : room_.with_one(layer + 1) + kPanel<T>;
            const long stride = is_last ? room_.stride(depth) : room_.one_stride(layer + 1);
            for_few_panels([&](int first, int panels) {
                product<T>({matrix(layer), width, 1}, units, width, inputs(layer) + first * input_stride(layer),
                           input_stride(layer), out + first * stride, stride, panels);
                if (!is_last) activate_panels(layer + 1, first, panels, keep_slopes);
            });
        }
    }

    // Returns the sum of w loss and turns raw into w delta; `weights` of all examples, null for 1.
    T losses(const T* weights) {
        Vector<T> sum{};
        for (int panel = 0; panel < panels_; ++panel)
            for (int half = 0; half < kPanel<T>; half += kLanes<T>)
                sum += weighted_loss(panel, half, weights);
        T total;
        lane_sums<T, 1>(&sum, &total);
        return total;
    }

    // Writes, or adds, the gradient of the sum of w loss, after `forward` and `losses`.
    void backward(T* gradient, bool add) {
        for (int layer = network_.depth() - 1; layer >= 0; --layer) {
            const int units = network_.layers[layer + 1], below = network_.layers[layer];
            const T* delta = room_.delta(layer + 1);
            const long stride = room_.stride(layer + 1);
            const int done = layer == 0 ? by_rows(delta, stride, gradient, add) : 0;
            outer_product<T>(delta, units, stride, inputs(layer) + done * kPanel<T>, 1 + below - done,
                             input_stride(layer), panels_, gradient + network_.offset(layer) + done,
                             1 + below, add);
            if (layer == 0) return;
            const long stride_below = room_.stride(layer);
            for_few_panels([&](int first, int panels) {
                product<T>({matrix(layer) + 1, 1, 1 + below}, below, units, delta + first * stride, stride,
                           room_.delta(layer) + first * stride_below, stride_below, panels);
                times_derivative(layer, first, panels);
            });
        }
    }

private:
    const T* matrix(int layer) const { return theta_ + network_.offset(layer); }
    const T* inputs(int layer) const {
        return layer == 0 ? examples_.rows(first_) : room_.with_one(layer);
    }
    long input_stride(int layer) const {
        return layer == 0 ? examples_.row_stride() : room_.one_stride(layer);
    }

    // Writes, or adds, columns of the first layer's gradient from the rows as they were given; returns how
    // many.
    int by_rows(const T* delta, long stride, T* gradient, bool add) {
        const long before = static_cast<long>(first_) * kPanel<T>;
        const long here = std::min<long>(static_cast<long>(panels_) * kPanel<T>, examples_.size() - before);
        if (examples_.given() == nullptr || !(is_cached() || network_.layers[1] >= kLeastFromMemory)) return 0;
        return gradient_of_rows<T>(delta, network_.layers[1], stride, examples_.given() + before,
                                   1 + network_.features(), here, gradient, add);
    }

    // Whether the rows as they were given stay in the cache beside the panels.
    bool is_cached() const {
        const double numbers = static_cast<double>(examples_.size()) * examples_.row_count();
        return numbers * sizeof(T) <= kCachedRows;
    }

    template <class Use>
    void for_few_panels(const Use& use) const {
        for (int first = 0; first < panels_; first += kFewPanels) use(first, std::min(kFewPanels, panels_ - first));
    }

    // z of some panels of a layer becomes a.
    void activate_panels(int layer, int first, int panels, bool keep_slopes) {
        const Activation kind = network_.activations[layer - 1];
        const long stride = room_.stride(layer);
        const bool slopes = keep_slopes && needs_input(kind);
        for (int panel = first; panel < first + panels; ++panel)
            activate<T>(kind, room_.with_one(layer) + kPanel<T> + panel * room_.one_stride(layer),
                        slopes ? room_.slope(layer) + panel * stride : nullptr, stride);
    }

    void times_derivative(int layer, int first, int panels) {
        const Activation kind = network_.activations[layer - 1];
        const long stride = room_.stride(layer);
        for (int panel = first; panel < first + panels; ++panel)
            multiply_by_derivative<T>(
                kind, room_.delta(layer) + panel * stride,
                room_.with_one(layer) + kPanel<T> + panel * room_.one_stride(layer),
                needs_input(kind) ? room_.slope(layer) + panel * stride : nullptr, stride);
    }

    Vector<T> weighted_loss(int panel, int half, const T* weights) {
        const int outputs = network_.outputs();
        T* raw = room_.raw() + panel * room_.stride(network_.depth()) + half;
        Vector<T> loss = loss_and_delta<T>(network_.loss, raw, examples_.targets(first_ + panel) + half,
                                           outputs, kPanel<T>);
        const long example = static_cast<long>(first_ + panel) * kPanel<T> + half;
        const long left = examples_.size() - example;
        if (weights == nullptr && left >= kLanes<T>) return loss;
        alignas(kAlignment) T w[kLanes<T>] = {};
        for (int lane = 0; lane < kLanes<T> && lane < left; ++lane)
            w[lane] = weights == nullptr ? T(1) : weights[example + lane];
        const Vector<T> weight = load<T>(w);
        // What fills the last panel up counts for nothing, even where its loss is not finite.
        const Mask<T> is_here = lanes_below(left);
        for (int k = 0; k < outputs; ++k) {
            T* delta = raw + k * kPanel<T>;
            store<T>(delta, select<T>(is_here, load<T>(delta) * weight, Vector<T>{}));
        }
        return select<T>(is_here, loss * weight, Vector<T>{});
    }

    static Mask<T> lanes_below(long count) {
        Mask<T> mask;
        for (int lane = 0; lane < kLanes<T>; ++lane) mask[lane] = lane < count ? -1 : 0;
        return mask;
    }

    const Network& network_;
    const T* theta_;
    const Examples<T>& examples_;
    Workspace<T>& room_;
    int first_, panels_;
};

}  // namespace symbreak
