// The Python door of the compiled core; what it offers is said in symbreak/native/interface.py.
//
// Arrays come as they are, C-contiguous and on the CPU, without a copy. Shapes are those that NativeKernel
// makes; they are checked here once more, since a wrong one would write beyond its memory. The GIL is
// released while there is work.
#include <string>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "core/predict.hpp"

namespace nb = nanobind;

#ifndef SYMBREAK_MODULE
#define SYMBREAK_MODULE _core
#endif

namespace {

using namespace symbreak;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using Strided = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;
template <class T>
using Given = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
using Indices = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void require(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

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

// One row for all starts, (k), or one for each, (starts, k); nothing for none.
template <class T>
struct PerStart {
    const T* first = nullptr;
    long stride = 0;

    PerStart(const std::optional<Given<T>>& array, std::size_t starts, std::size_t k) {
        if (!array) return;
        const bool for_each = array->ndim() == 2;
        require(for_each || array->ndim() == 1, "weights and strength must be of one or two axes");
        require(array->shape(array->ndim() - 1) == k && (!for_each || array->shape(0) == starts),
                "weights and strength must be of shape (k,) or (starts, k)");
        first = array->data();
        stride = for_each ? static_cast<long>(k) : 0;
    }
};

template <class T>
void check_theta(const Network& network, const Given<T>& theta) {
    require(theta.ndim() == 2 && static_cast<long>(theta.shape(1)) == network.n_parameters(),
            "theta must be of shape (starts, parameters)");
}

void check_rows(const Network& network, long columns) {
    require(columns == 1 + network.features(), "rows must be of 1 + features columns");
}

template <class T>
void evaluate_examples(const Network& network, const Examples<T>& examples, const Given<T>& theta,
                       T scale, const PerStart<T>& weights, const PerStart<T>& strength,
                       const Array<T>& value, const std::optional<Array<T>>& gradient, int threads,
                       double memory) {
    require(value.size() == theta.shape(0), "value must be of shape (starts,)");
    require(!gradient || gradient->size() == theta.size(), "gradient must be of the shape of theta");
    const Task<T> task{network,          examples,        static_cast<int>(theta.shape(0)),
                       theta.data(),     weights.first,   weights.stride,
                       strength.first,   strength.stride, scale,
                       value.data(),     gradient ? gradient->data() : nullptr, memory};
    nb::gil_scoped_release release;
    Evaluation<T>(task).run(threads);
}

template <class T>
void evaluate(const Network& network, const Examples<T>& examples, const Given<T>& theta, T scale,
              const std::optional<Given<T>>& weights, const std::optional<Given<T>>& strength,
              const Array<T>& value, const std::optional<Array<T>>& gradient, int threads,
              double memory) {
    check_theta<T>(network, theta);
    check_rows(network, examples.row_count());
    require(examples.size() > 0 && examples.target_rows() == network.target_rows(),
            "examples must be one or more, with the targets of the loss");
    const std::size_t starts = theta.shape(0);
    evaluate_examples<T>(network, examples, theta, scale,
                         PerStart<T>(weights, starts, examples.size()),
                         PerStart<T>(strength, starts, theta.shape(1)), value, gradient, threads,
                         memory);
}

template <class T>
void pick(Examples<T>& batch, const Examples<T>& examples, const Indices& indices) {
    require(batch.row_count() == examples.row_count() && batch.target_rows() == examples.target_rows(),
            "a batch must have the rows and targets of its examples");
    nb::gil_scoped_release release;
    static_assert(sizeof(long long) == sizeof(std::int64_t));
    batch.pick(examples, reinterpret_cast<const long long*>(indices.data()),
               static_cast<long>(indices.size()));
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
void bind(nb::module_& m, const char* name) {
    nb::class_<Examples<T>>(m, name)
        .def(nb::init<int, int>(), nb::arg("rows"), nb::arg("target_rows"))
        .def("__len__", &Examples<T>::size)
        .def("pick", &pick<T>, nb::arg("examples"), nb::arg("indices"));
    m.def("examples", &make_examples<T>, nb::arg("rows"), nb::arg("target"));
    m.def("evaluate", &evaluate<T>, nb::arg("network"), nb::arg("examples"), nb::arg("theta"),
          nb::arg("scale"), nb::arg("weights").none(), nb::arg("strength").none(), nb::arg("value").noconvert(),
          nb::arg("gradient").none().noconvert(), nb::arg("threads"), nb::arg("memory"));
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
    bind<double>(m, "Examples64");
    bind<float>(m, "Examples32");
}
