// Arrays as Python hands them over: C-contiguous and on the CPU, without a copy.
#pragma once

#include <optional>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "core/search/problem.hpp"

namespace symbreak {

namespace nb = nanobind;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T>
using Given = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
template <class T>
using Strided = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;

inline void require(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

// One row for all starts, (k), or one for each, (starts, k); nothing for none.
template <class T>
class PerStart {
public:
    PerStart(const std::optional<Given<T>>& array, std::size_t k) : array_(array) {
        if (!array) return;
        require(array->ndim() == 1 || array->ndim() == 2, "weights and strength must be of one or two axes");
        require(array->shape(array->ndim() - 1) == k, "weights and strength must be of shape (k,) or (starts, k)");
    }

    const T* first() const { return array_ ? array_->data() : nullptr; }
    bool is_for_each() const { return array_ && array_->ndim() == 2; }
    long stride() const { return is_for_each() ? static_cast<long>(array_->shape(1)) : 0; }
    bool is_for(std::size_t starts) const { return !is_for_each() || array_->shape(0) == starts; }

private:
    std::optional<Given<T>> array_;
};

// J of a network on examples as Python knows it, with what it holds on to.
template <class T>
class HeldProblem {
public:
    HeldProblem(nb::object network, nb::object examples, T scale, const std::optional<Given<T>>& weights,
                const std::optional<Given<T>>& strength, double memory)
        : network_(std::move(network)), examples_(std::move(examples)),
          weights_(weights, std::as_const(*this).examples().size()),
          strength_(strength, this->network().n_parameters()) {
        const Examples<T>& those = std::as_const(*this).examples();
        require(those.row_count() == 1 + this->network().features(), "rows must be of 1 + features columns");
        require(those.size() > 0 && those.target_rows() == this->network().target_rows(),
                "examples must be one or more, with the targets of the loss");
        m_ = those.size();
        problem_ = {&this->network(), &those, weights_.first(), weights_.stride(),
                    strength_.first(), strength_.stride(), scale, memory};
    }

    const Problem<T>& get() const { return problem_; }

    void check(std::size_t starts) const {
        require(examples().size() == m_, "examples must be as many as when the problem was made");
        require(weights_.is_for(starts) && strength_.is_for(starts),
                "weights and strength must be for as many starts as theta");
    }

    void evaluate(const Given<T>& theta, const Array<T>& value, const std::optional<Array<T>>& gradient,
                  int threads) const {
        require(theta.ndim() == 2 && static_cast<long>(theta.shape(1)) == problem_.n(),
                "theta must be of shape (starts, parameters)");
        check(theta.shape(0));
        require(value.size() == theta.shape(0), "value must be of shape (starts,)");
        require(!gradient || gradient->size() == theta.size(), "gradient must be of the shape of theta");
        const Problem<T>& p = problem_;
        const Task<T> task{*p.network, *p.examples, static_cast<int>(theta.shape(0)), theta.data(),
                           p.weights, p.weights_stride, p.strength, p.strength_stride, p.scale,
                           value.data(), gradient ? gradient->data() : nullptr, p.memory};
        nb::gil_scoped_release release;
        Evaluation<T>(task).run(threads);
    }

private:
    const Network& network() const { return nb::cast<const Network&>(network_); }
    const Examples<T>& examples() const { return nb::cast<const Examples<T>&>(examples_); }

    nb::object network_, examples_;
    PerStart<T> weights_, strength_;
    long m_ = 0;  // `pick` may change the examples, of which the weights know nothing
    Problem<T> problem_;
};

}  // namespace symbreak
