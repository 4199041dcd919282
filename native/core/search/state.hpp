// The state of a search: arrays by name, one row for each running start, which Python owns.
//
// Names are those of the attributes in Python, joined by dots: `stepper.search.step_sizes`. What a burst
// writes here is all that it leaves behind, so that the next one, or the Python stepper, goes on from it.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace symbreak {

// The rows of one array.
template <class N>
class Rows {
public:
    Rows() = default;
    Rows(N* first, long width) : first_(first), width_(width) {}

    N& operator[](int start) const { return first_[start * width_]; }
    N* row(int start) const { return first_ + start * width_; }
    long width() const { return width_; }
    explicit operator bool() const { return first_ != nullptr; }

private:
    N* first_ = nullptr;
    long width_ = 0;
};

enum class Kind { float32, float64, int64, boolean };

template <class N>
constexpr Kind kind_of() {
    if (std::is_same_v<N, float>) return Kind::float32;
    if (std::is_same_v<N, double>) return Kind::float64;
    return std::is_same_v<N, bool> ? Kind::boolean : Kind::int64;
}

class State {
public:
    explicit State(int starts) : starts_(starts) {}

    int starts() const { return starts_; }
    bool has(const std::string& name) const { return arrays_.count(name) > 0; }

    // width : numbers in a row
    void put(const std::string& name, Kind kind, void* first, long width) {
        arrays_[name] = {kind, first, width};
    }

    // The rows of the array of this name, which must be of `width` numbers where that is not 0.
    template <class N>
    Rows<N> rows(const std::string& name, long width = 1) const {
        const auto found = arrays_.find(name);
        if (found == arrays_.end()) throw std::invalid_argument("a search must have " + name);
        const Array& array = found->second;
        if (array.kind != kind_of<N>() || (width != 0 && array.width != width))
            throw std::invalid_argument(name + " must be of another dtype or shape");
        return {static_cast<N*>(array.first), array.width};
    }

private:
    struct Array {
        Kind kind;
        void* first;
        long width;
    };

    int starts_;
    std::map<std::string, Array> arrays_;
};

// Numbers by name, which Python writes once for its steppers and these: constants and limits.
class Settings {
public:
    void put(const std::string& name, double number) { numbers_[name] = number; }

    double operator[](const std::string& name) const {
        const auto found = numbers_.find(name);
        if (found == numbers_.end()) throw std::invalid_argument("a search must be told " + name);
        return found->second;
    }

private:
    std::map<std::string, double> numbers_;
};

}  // namespace symbreak
