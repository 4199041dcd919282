// Walks every activation, loss, depth and ragged size through the core, for the sanitizers.
//
//     make sanitize
//
// Results are the same to the last bit on one thread and on three, and for one start and for many, J
// alone is J of a pass with its gradient, and the gradient is the slope of J along a direction.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "core/predict.hpp"

using namespace symbreak;

namespace {

template <class T>
struct Problem {
    Network network;
    Examples<T> examples;
    std::vector<T> theta, weights, strength;
    int starts;
};

template <class T>
std::vector<T> draw(std::size_t size, std::mt19937_64& words, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<T> numbers(size);
    for (T& number : numbers) number = static_cast<T>(uniform(words));
    return numbers;
}

template <class T>
Problem<T> make(Activation activation, Loss loss, int depth, long m, std::mt19937_64& words) {
    const int hidden[] = {7, 13, 6};
    std::vector<int> layers{5};
    layers.insert(layers.end(), hidden, hidden + depth);
    layers.push_back(3);
    const double parameter = loss == Loss::quantile ? 0.3 : 0.7;
    Network network{layers, std::vector<Activation>(depth, activation), {loss, parameter}};
    Examples<T> examples(6, network.target_rows());
    std::vector<T> rows = draw<T>(m * 6, words, -2, 2);
    for (long i = 0; i < m; ++i) rows[i * 6] = 1;
    std::vector<T> target = draw<T>(m * 3, words, 0, 3);
    for (T& number : target) number = std::floor(number);
    if (loss == Loss::binary_cross_entropy)
        for (T& number : target) number = number > 0 ? T(1) : T(-1);
    examples.fill(m, {rows.data(), 6, 1}, {target.data(), 1, m});
    const int starts = 3;
    const std::size_t n = network.n_parameters();
    return {network, std::move(examples), draw<T>(starts * n, words, -0.7, 0.7),
            draw<T>(starts * m, words, 0, 2), draw<T>(n, words, 0, 0.1), starts};
}

template <class T>
std::pair<std::vector<T>, std::vector<T>> evaluate(const Problem<T>& p, const std::vector<T>& theta,
                                                   int first, int starts, int threads, bool slope) {
    const long n = p.network.n_parameters(), m = p.examples.size();
    std::vector<T> value(starts), gradient(slope ? starts * n : 0);
    const Task<T> task{p.network, p.examples, starts, theta.data() + first * n,
                       p.weights.data() + first * m, m, p.strength.data(), 0, T(1) / m, value.data(),
                       slope ? gradient.data() : nullptr, 1e9};
    Evaluation<T>(task).run(threads);
    return {value, gradient};
}

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

// The slope of J along a direction, by a central difference; smooth activations and losses only.
template <class T>
void check_slope(const Problem<T>& p, std::mt19937_64& words) {
    const std::size_t n = p.network.n_parameters();
    const std::vector<T> way = draw<T>(n, words, -1, 1);
    std::vector<T> ahead = p.theta, behind = p.theta;
    const double h = 1e-5;
    for (std::size_t i = 0; i < n; ++i) {
        ahead[i] += static_cast<T>(h) * way[i];
        behind[i] -= static_cast<T>(h) * way[i];
    }
    const auto gradient = evaluate(p, p.theta, 0, 1, 1, true).second;
    double slope = 0;
    for (std::size_t i = 0; i < n; ++i) slope += static_cast<double>(gradient[i]) * way[i];
    const double difference =
        (evaluate(p, ahead, 0, 1, 1, false).first[0] - evaluate(p, behind, 0, 1, 1, false).first[0]) /
        (2 * h);
    check(std::abs(slope - difference) <= 1e-6 * (1 + std::abs(slope)), "the gradient is not the slope");
}

template <class T>
void walk(Activation activation, Loss loss, int depth, long m, std::mt19937_64& words) {
    const Problem<T> p = make<T>(activation, loss, depth, m, words);
    const long n = p.network.n_parameters();
    const auto all = evaluate(p, p.theta, 0, p.starts, 1, true);
    check(all == evaluate(p, p.theta, 0, p.starts, 3, true), "threads change the result");
    check(all.first == evaluate(p, p.theta, 0, p.starts, 3, false).first, "J alone is another J");
    const auto last = evaluate(p, p.theta, p.starts - 1, 1, 3, true);
    check(last.first[0] == all.first.back() &&
              std::equal(last.second.begin(), last.second.end(), all.second.end() - n),
          "the number of starts changes the result");
    std::vector<T> out(p.starts * m * p.network.outputs()), rows(m * 6, T(1));
    predict<T>(p.network, {rows.data(), 6, 1}, m, p.starts, p.theta.data(), out.data(), 2);
    std::vector<std::int64_t> indices;
    for (long i = m - 1; i >= 0; i -= 2) indices.push_back(i);
    Examples<T> batch(6, p.network.target_rows());
    batch.pick(p.examples, indices.data(), static_cast<long>(indices.size()));
    const bool is_smooth = activation != Activation::relu && activation != Activation::leaky_relu &&
                           activation != Activation::selu && loss < Loss::absolute_error;
    if (sizeof(T) == 8 && is_smooth) check_slope(p, words);
}

}  // namespace

int main() {
    std::mt19937_64 words(0);
    for (std::size_t activation = 0; activation < std::size(kActivationNames); ++activation)
        for (std::size_t loss = 0; loss < std::size(kLossNames); ++loss)
            for (int depth = 0; depth <= 3; ++depth)
                for (const long m : {1, 31, 3001}) {
                    walk<double>(Activation(activation), Loss(loss), depth, m, words);
                    walk<float>(Activation(activation), Loss(loss), depth, m, words);
                }
    std::puts("every activation, loss and depth: the same on one thread and on three");
}
