// The Python door of the compiled core; what it offers is said in symbreak/native/interface.py.
//
// Arrays come as they are, C-contiguous and on the CPU, without a copy. Shapes are those that NativeKernel
// makes; they are checked here once more, since a wrong one would write beyond its memory. The GIL is
// released while there is work.
#include <string>

#include <nanobind/stl/vector.h>

#include "core/predict.hpp"
#include "searches.hpp"

#ifndef SYMBREAK_MODULE
#define SYMBREAK_MODULE _core
#endif

namespace {

using namespace symbreak;

Network make_network(std::vector<int> layers, const std::vector<int>& activations, int loss,
                     double parameter) {
    require(layers.size() >= 2 && activations.size() + 2 == layers.size(),
            "layers must be two or more, with an activation for each hidden one");
    for (const int units : layers) require(units > 0, "layers must be positive");
    for (const int word : activations)
        require(word >= 0 && word < static_cast<int>(std::size(kActivationNames)), "no such activation");
    require(loss >= 0 && loss < static_cast<int>(std::size(kLossNames)), "no such loss");
    Network network{std::move(layers), {}, {static_cast<Loss>(loss), parameter}};
    for (const int word : activations) network.activations.push_back(static_cast<Activation>(word));
    return network;
}

template <class T>
typename Examples<T>::Source source(const Strided<T>& array) {
    return {array.data(), array.stride(0), array.stride(1)};
}

// rows (m, 1 + features) and target (target rows, m), with any strides
template <class T>
Examples<T> make_examples(const Strided<T>& rows, const Strided<T>& target) {
    require(target.shape(1) == rows.shape(0), "rows and target must be of equally many examples");
    Examples<T> examples(static_cast<int>(rows.shape(1)), static_cast<int>(target.shape(0)));
    auto targets = source<T>(target);
    std::swap(targets.by_example, targets.by_row);
    nb::gil_scoped_release release;
    examples.fill(static_cast<long>(rows.shape(0)), source<T>(rows), targets);
    return examples;
}

template <class T>
void check_theta(const Network& network, const Given<T>& theta) {
    require(theta.ndim() == 2 && static_cast<long>(theta.shape(1)) == network.n_parameters(),
            "theta must be of shape (starts, parameters)");
}

void check_rows(const Network& network, long columns) {
    require(columns == 1 + network.features(), "rows must be of 1 + features columns");
}

template <class T>
void pick(Examples<T>& batch, const Examples<T>& examples, const Indices& indices) {
    require(indices.ndim() == 1, "indices must be of one axis");
    require(batch.row_count() == examples.row_count() && batch.target_rows() == examples.target_rows(),
            "a batch must have the rows and targets of its examples");
    nb::gil_scoped_release release;
    batch.pick(examples, indices.data(), static_cast<long>(indices.size()));
}

template <class T>
void predict_rows(const Network& network, const Strided<T>& rows, const Given<T>& theta,
                  const Array<T>& out, int threads) {
    check_theta<T>(network, theta);
    check_rows(network, static_cast<long>(rows.shape(1)));
    require(out.size() == theta.shape(0) * rows.shape(0) * network.outputs(),
            "out must be of shape (starts, m, outputs)");
    nb::gil_scoped_release release;
    predict<T>(network, source<T>(rows), static_cast<long>(rows.shape(0)),
               static_cast<int>(theta.shape(0)), theta.data(), out.data(), threads);
}

template <class T>
void activate_all(int word, const Array<T>& z, const std::optional<Array<T>>& slope) {
    require(z.size() % kLanes<T> == 0, "z must fill whole registers");
    require(reinterpret_cast<std::uintptr_t>(z.data()) % kAlignment == 0, "z must be aligned");
    activate<T>(static_cast<Activation>(word), z.data(), slope ? slope->data() : nullptr,
                static_cast<long>(z.size()));
}

template <class T>
void bind(nb::module_& m, const char* examples, const char* problem) {
    nb::class_<Examples<T>>(m, examples)
        .def(nb::init<int, int>(), nb::arg("rows"), nb::arg("target_rows"))
        .def("__len__", &Examples<T>::size)
        .def("pick", &pick<T>, nb::arg("examples"), nb::arg("indices"), nb::keep_alive<1, 2>());
    m.def("examples", &make_examples<T>, nb::arg("rows"), nb::arg("target"), nb::keep_alive<0, 1>());
    nb::class_<HeldProblem<T>>(m, problem)
        .def(nb::init<nb::object, nb::object, T, const std::optional<Given<T>>&,
                      const std::optional<Given<T>>&, double>(),
             nb::arg("network"), nb::arg("examples"), nb::arg("scale"), nb::arg("weights").none(),
             nb::arg("strength").none(), nb::arg("memory"))
        .def("evaluate", &HeldProblem<T>::evaluate, nb::arg("theta"), nb::arg("value").noconvert(),
             nb::arg("gradient").none().noconvert(), nb::arg("threads"));
    bind_searches<T>(m);
    m.def("predict", &predict_rows<T>, nb::arg("network"), nb::arg("rows"), nb::arg("theta"),
          nb::arg("out").noconvert(), nb::arg("threads"));
    m.def("activate", &activate_all<T>, nb::arg("activation"), nb::arg("z").noconvert(),
          nb::arg("slope").none().noconvert());
}

}  // namespace

NB_MODULE(SYMBREAK_MODULE, m) {
    // Networks and examples that caches hold when Python ends are no news to anyone.
    nb::set_leak_warnings(false);
    m.attr("ACTIVATIONS") = std::vector<std::string>(std::begin(kActivationNames),
                                                     std::end(kActivationNames));
    m.attr("LOSSES") = std::vector<std::string>(std::begin(kLossNames), std::end(kLossNames));
    nb::class_<Network>(m, "Network")
        .def("__init__",
             [](Network* self, std::vector<int> layers, const std::vector<int>& activations, int loss,
                double parameter) {
                 new (self) Network(make_network(std::move(layers), activations, loss, parameter));
             },
             nb::arg("layers"), nb::arg("activations"), nb::arg("loss"), nb::arg("parameter"));
    bind<double>(m, "Examples64", "Problem64");
    bind<float>(m, "Examples32", "Problem32");
}
