// Bursts of a search, as Python asks for them; see `Core.burst` in symbreak/native/interface.py.
#pragma once

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "arrays.hpp"
#include "core/search/burst.hpp"
#include "core/search/line_search.hpp"
#include "core/search/minibatch.hpp"

namespace symbreak {

using Indices = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;

inline Kind kind_of_array(const nb::ndarray<nb::c_contig, nb::device::cpu>& array) {
    if (array.dtype() == nb::dtype<float>()) return Kind::float32;
    if (array.dtype() == nb::dtype<double>()) return Kind::float64;
    if (array.dtype() == nb::dtype<bool>()) return Kind::boolean;
    require(array.dtype() == nb::dtype<std::int64_t>(), "arrays of a search must be floats, int64 or bool");
    return Kind::int64;
}

// The arrays of a search, (starts, ...) each.
inline State state_of(const nb::dict& arrays, int starts) {
    require(starts > 0, "a burst must be of at least one start");
    State state(starts);
    for (const auto& [key, held] : arrays) {
        const auto name = nb::cast<std::string>(key);
        nb::ndarray<nb::c_contig, nb::device::cpu> array;
        require(nb::try_cast(held, array, false),
                (name + " must be an array that can be written, C-contiguous and on the CPU").c_str());
        require(array.ndim() > 0 && static_cast<int>(array.shape(0)) == starts,
                "arrays of a search must have a row for each running start");
        state.put(name, kind_of_array(array), array.data(),
                  static_cast<long>(array.size() / array.shape(0)));
    }
    return state;
}

inline Settings settings_of(const nb::dict& numbers) {
    Settings settings;
    for (const auto& [name, number] : numbers)
        settings.put(nb::cast<std::string>(name), nb::cast<double>(number));
    return settings;
}

inline Log log_of(const State& state, const Settings& settings) {
    const auto values = state.rows<double>("burst.values", 0);
    const auto scores = state.rows<double>("burst.scores", values.width());
    return {static_cast<int>(values.width()), static_cast<int>(settings["most_ticks"]), values.row(0),
            scores.row(0), state.rows<bool>("burst.accepted").row(0), state.rows<bool>("burst.failed").row(0)};
}

// The epochs that a burst may have: as many as there are factors, checked against the order.
template <class T>
EpochPlan<T> plan_of(const Problem<T>& problem, const Settings& settings, const Log& log,
                     const std::optional<Indices>& order, const std::optional<Array<double>>& factors,
                     const std::optional<Given<T>>& decay) {
    const std::size_t epochs = static_cast<std::size_t>(settings["epochs"]) * log.most_ticks;
    require(factors && factors->size() == epochs, "factors must be one for each epoch");
    require(!order || order->size() == epochs * problem.examples->size(),
            "order must be of shape (epochs, examples)");
    require(!order || settings["batch_size"] >= 1, "batch_size must be positive where there is an order");
    require(!decay || static_cast<long>(decay->size()) == problem.n(), "decay must be of shape (n,)");
    return {order ? order->data() : nullptr, factors->data(), decay ? decay->data() : nullptr};
}

template <class T>
void burst(const std::string& stepper, const HeldProblem<T>& problem,
           const HeldProblem<T>* validation, const nb::dict& arrays, const nb::dict& numbers,
           const std::optional<Indices>& order, const std::optional<Array<double>>& factors,
           const std::optional<Given<T>>& decay, int starts, int threads) {
    const State state = state_of(arrays, starts);
    const Settings settings = settings_of(numbers);
    const Log log = log_of(state, settings);
    const Problem<T>& J = problem.get();
    const Problem<T>* score = validation == nullptr ? nullptr : &validation->get();
    problem.check(starts);
    if (validation != nullptr) validation->check(starts);
    auto run = [&](const auto& made) {
        Burst burst(state, settings, J.n(), made, score, log);
        nb::gil_scoped_release release;
        burst.run(threads);
    };
    if (stepper == "l-bfgs") return run(LineSearchStepper<T>(state, settings, J));
    const EpochPlan<T> plan = plan_of(J, settings, log, order, factors, decay);
    if (stepper == "sgd") return run(MiniBatchStepper<T, SGD<T>>(state, settings, J, plan));
    require(stepper == "adam", "stepper must be l-bfgs, sgd or adam");
    run(MiniBatchStepper<T, Adam<T>>(state, settings, J, plan));
}

template <class T>
void bind_searches(nb::module_& m) {
    m.def("burst", &burst<T>, nb::arg("stepper"), nb::arg("problem"), nb::arg("validation").none(),
          nb::arg("state"), nb::arg("settings"), nb::arg("order").none(), nb::arg("factors").none(),
          nb::arg("decay").none(), nb::arg("starts"), nb::arg("threads"));
}

}  // namespace symbreak
