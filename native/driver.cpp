// Walks every activation, loss, depth and ragged size through the core, for the sanitizers.
//
//     make sanitize
//
// Results are the same to the last bit on one thread and on three, and for one start and for many, J
// alone is J of a pass with its gradient, and the gradient is the slope of J along a direction. Bursts of
// a search are the same on one thread and on three, and whether they are cut or not.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "core/predict.hpp"
#include "core/search/burst.hpp"
#include "core/search/line_search.hpp"
#include "core/search/minibatch.hpp"

using namespace symbreak;

namespace {

template <class T>
struct Case {
    Network network;
    Examples<T> examples;
    std::vector<T> theta, weights, strength;
    int starts;
    std::vector<T> rows;  // which the examples know by their places
};

template <class T>
std::vector<T> draw(std::size_t size, std::mt19937_64& words, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<T> numbers(size);
    for (T& number : numbers) number = static_cast<T>(uniform(words));
    return numbers;
}

template <class T>
Case<T> make(Activation activation, Loss loss, int depth, long m, std::mt19937_64& words) {
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
            draw<T>(starts * m, words, 0, 2), draw<T>(n, words, 0, 0.1), starts, std::move(rows)};
}

template <class T>
std::pair<std::vector<T>, std::vector<T>> evaluate(const Case<T>& p, const std::vector<T>& theta,
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
void check_slope(const Case<T>& p, std::mt19937_64& words) {
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
    const Case<T> p = make<T>(activation, loss, depth, m, words);
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

// The arrays of a search from the starts of a problem, as Python would own them.
template <class T>
struct Search {
    State state;
    Settings settings;
    std::map<std::string, std::vector<T>> numbers;
    std::map<std::string, std::vector<double>> doubles;
    std::map<std::string, std::vector<std::int64_t>> counts;
    std::map<std::string, std::array<bool, 3>> flags;

    explicit Search(const Case<T>& p) : state(p.starts) {
        const long n = p.network.n_parameters();
        for (const char* name : {"here.theta", "here.gradient", "before.theta", "before.gradient",
                                 "best.theta", "validation.theta", "stepper.along", "stepper.rule._mean",
                                 "stepper.rule._square"})
            add(numbers, name, n);
        add(numbers, "stepper.direction._pairs", 2 * kPairs * n);
        for (const char* name :
             {"here.value", "here.norm", "before.value", "before.norm", "best.value", "best.gradient_norm",
              "best._lowest", "validation.score", "validation.latest",
              "validation.loss", "validation._lowest", "validation._unit", "start_norm", "start_value",
              "stepper._slope", "stepper._change",
              "stepper.direction._gamma", "stepper.search.step_sizes", "stepper.schedule._rates"})
            add(doubles, name, 1);
        for (const char* name : {"_low", "_high", "_low_before", "_high_before"})
            add(doubles, std::string("stepper.search.") + name, 3);
        for (const char* name : {"_origin", "_best"}) add(doubles, std::string("stepper.search.") + name, 2);
        add(doubles, "stepper.direction._curvature", kPairs);
        for (const char* name : {"_inverse", "_yy"})
            add(doubles, std::string("stepper.direction.") + name, kPairs * kPairs);
        for (const char* name : {"burst.iterations", "burst.evaluations", "best.iteration",
                                 "validation.iteration", "validation._since", "stepper.direction._clock", "stepper.search._trials"})
            add(counts, name, 1);
        for (const char* name : {"is_new", "stepper._is_steepest", "stepper.search._is_last",
                                 "stepper.search._is_secant"}) {
            flags[name] = {};
            state.put(name, Kind::boolean, flags[name].data(), 1);
        }
        for (const char* name : {"best.value", "best.gradient_norm", "best._lowest", "start_norm",
                                 "validation.score"})
            std::fill(doubles[name].begin(), doubles[name].end(), 1e300);
        std::fill(doubles["stepper.schedule._rates"].begin(), doubles["stepper.schedule._rates"].end(), 0.01);
        for (const auto& [name, number] : kSettings) settings.put(name, number);
        settings.put("eps", std::numeric_limits<T>::epsilon());
        begin(p);
    }

    static constexpr long kPairs = 4;
    inline static const std::map<std::string, double> kSettings{
        {"ties", 10}, {"rounding", 10}, {"gradient_rtol", 0}, {"gradient_atol", 0},
        {"target_value", -1e300}, {"value_rtol", 0}, {"value_atol", 0}, {"step_rtol", 0}, {"max_iter", 1e9},
        {"max_evaluations", 1e9}, {"patience", 1e9}, {"patience_tol", 0}, {"score", 1}, {"delta", 0.1}, {"sigma", 0.9}, {"expand", 5}, {"middle", 0.5},
        {"gamma", 0.66}, {"search_rounding", 10}, {"shrink_least", 0.5}, {"shrink_most", 0.1},
        {"max_trials", 30}, {"cubic", 1}, {"batch_size", 7}, {"epochs", 1}, {"updates", 0}, {"with_gradient", 0},
        {"not_asked", 1e308},
        {"beta1", 0.9}, {"beta2", 0.99}, {"adam_eps", 1e-8}};

    template <class N>
    void add(std::map<std::string, std::vector<N>>& arrays, const std::string& name, long width) {
        arrays[name].assign(state.starts() * width, N(0));
        state.put(name, kind_of<N>(), arrays[name].data(), width);
    }

    // The first searches: along steepest descent, with step 1.
    void begin(const Case<T>& p) {
        const long n = p.network.n_parameters();
        numbers["here.theta"] = p.theta;
        const auto [value, gradient] = evaluate(p, p.theta, 0, p.starts, 1, true);
        std::copy(p.theta.begin(), p.theta.end(), state.rows<T>("here.theta", n).row(0));
        std::copy(gradient.begin(), gradient.end(), state.rows<T>("here.gradient", n).row(0));
        std::transform(gradient.begin(), gradient.end(), state.rows<T>("stepper.along", n).row(0),
                       [](T x) { return -x; });
        const HagerZhang search(state, settings, "stepper.search");
        for (int start = 0; start < p.starts; ++start) {
            const T* slope = gradient.data() + start * n;
            doubles["here.value"][start] = doubles["start_value"][start] = value[start];
            doubles["stepper._slope"][start] = -dot(slope, slope, n);
            doubles["stepper.direction._gamma"][start] = 1;
            flags["stepper._is_steepest"][start] = true;
            search.begin(start, value[start], -dot(slope, slope, n), 1.0);
        }
    }
};

// Returns where the starts are after six steps, in bursts of so many.
template <class T, class Make>
std::vector<T> searched(const Case<T>& p, const Make& make, int steps, int threads) {
    Search<T> search(p);
    const long n = p.network.n_parameters();
    const Problem<T> J{&p.network, &p.examples, p.weights.data(), p.examples.size(),
                                 p.strength.data(), 0, T(1) / p.examples.size(), 1e9};
    for (int made = 0; made < 6; made += steps) {
        std::vector<double> values(p.starts * steps), scores(values);
        std::array<bool, 3> accepted{}, failed{};
        const Log log{steps, 1 << 30, values.data(), scores.data(), accepted.data(), failed.data()};
        const auto stepper = make(search, J, made);
        Burst(search.state, search.settings, n, stepper, &J, log).run(threads);
    }
    return search.numbers["here.theta"];
}

template <class T>
void walk_searches(Loss loss, long m, std::mt19937_64& words) {
    const Case<T> p = make<T>(Activation::tanh, loss, 1, m, words);
    std::vector<std::int64_t> order(6 * m);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i * 5 % m);
    const std::vector<double> factors(6, 1.0);
    auto lbfgs = [](Search<T>& search, const Problem<T>& J, int) {
        return LineSearchStepper<T>(search.state, search.settings, J);
    };
    auto adam = [&](Search<T>& search, const Problem<T>& J, int made) {
        search.settings.put("updates", made * ((m + 6) / 7));
        return MiniBatchStepper<T, Adam<T>>(search.state, search.settings, J,
                                            {order.data() + made * m, factors.data(), nullptr});
    };
    auto check_cuts = [&](const auto& make) {
        const std::vector<T> straight = searched(p, make, 6, 1);
        check(straight == searched(p, make, 6, 3), "threads change a search");
        check(straight == searched(p, make, 2, 3), "cuts change a search");
    };
    check_cuts(lbfgs);
    check_cuts(adam);
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
    for (std::size_t loss = 0; loss < std::size(kLossNames); ++loss)
        for (const long m : {31, 3001}) {
            walk_searches<double>(Loss(loss), m, words);
            walk_searches<float>(Loss(loss), m, words);
        }
    std::puts("every activation, loss and depth: the same on one thread and on three");
}
