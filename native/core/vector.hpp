// Vectors of numbers as wide as the processor's registers, by GCC's and Clang's vector types.
//
// Conventions: T is float or double. Every operation is elementwise. A comparison gives a `Mask`,
// integers of the same width, all bits set where it holds. Nothing here may depend on -ffast-math.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

namespace symbreak {

#if defined(__AVX512F__)
constexpr int kRegisterBytes = 64;
#elif defined(__AVX__)
constexpr int kRegisterBytes = 32;
#else
constexpr int kRegisterBytes = 16;
#endif

template <class T>
struct Types;
template <>
struct Types<float> {
    using Bits = std::int32_t;
    typedef float Vector __attribute__((vector_size(kRegisterBytes)));
    typedef std::int32_t Mask __attribute__((vector_size(kRegisterBytes)));
};
template <>
struct Types<double> {
    using Bits = std::int64_t;
    typedef double Vector __attribute__((vector_size(kRegisterBytes)));
    typedef std::int64_t Mask __attribute__((vector_size(kRegisterBytes)));
};

template <class T>
using Vector = typename Types<T>::Vector;
template <class T>
using Mask = typename Types<T>::Mask;
template <class T>
using Bits = typename Types<T>::Bits;
template <class T>
constexpr int kLanes = kRegisterBytes / static_cast<int>(sizeof(T));

template <class T>
inline Vector<T> all(T number) {
    return number - Vector<T>{};
}

template <class T>
inline Mask<T> all_bits(Bits<T> bits) {
    return bits - Mask<T>{};
}

template <class T>
inline Mask<T> as_bits(Vector<T> x) {
    Mask<T> bits;
    std::memcpy(&bits, &x, sizeof x);
    return bits;
}

template <class T>
inline Vector<T> from_bits(Mask<T> bits) {
    Vector<T> x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// Memory of ours is aligned to a register throughout.
template <class T>
inline Vector<T> load(const T* from) {
    return *reinterpret_cast<const Vector<T>*>(__builtin_assume_aligned(from, kRegisterBytes));
}

template <class T>
inline void store(T* to, Vector<T> x) {
    *reinterpret_cast<Vector<T>*>(__builtin_assume_aligned(to, kRegisterBytes)) = x;
}

// Memory that Python owns need not be.
template <class T>
inline Vector<T> load_anywhere(const T* from) {
    Vector<T> x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

template <class T>
inline void store_anywhere(T* to, Vector<T> x) {
    std::memcpy(to, &x, sizeof x);
}

// Where the mask holds `yes`, else `no`.
template <class T>
inline Vector<T> select(Mask<T> mask, Vector<T> yes, Vector<T> no) {
    return mask ? yes : no;
}

// A NaN in x stays: the comparison with it is false and x is taken.
template <class T>
inline Vector<T> at_least(Vector<T> x, Vector<T> low) {
    return select<T>(x < low, low, x);
}

template <class T>
inline Vector<T> at_most(Vector<T> x, Vector<T> high) {
    return select<T>(x > high, high, x);
}

template <class T>
inline Mask<T> sign_bit() {
    return all_bits<T>(static_cast<Bits<T>>(std::uint64_t{1} << (8 * sizeof(T) - 1)));
}

template <class T>
inline Vector<T> absolute(Vector<T> x) {
    return from_bits<T>(as_bits<T>(x) & ~sign_bit<T>());
}

// |x| of a magnitude that is not negative, with the sign of `sign`.
template <class T>
inline Vector<T> with_sign_of(Vector<T> magnitude, Vector<T> sign) {
    return from_bits<T>(as_bits<T>(magnitude) | (as_bits<T>(sign) & sign_bit<T>()));
}

// Keeps x in a register: the compiler else loads it again for each product that uses it.
template <class T>
inline void keep(Vector<T>& x) {
#if defined(__AVX512F__)
    __asm__("" : "+v"(x));
#elif defined(__x86_64__)
    __asm__("" : "+x"(x));
#elif defined(__aarch64__)
    __asm__("" : "+w"(x));
#endif
}

namespace detail {

template <class T, int Odd, std::size_t... I>
inline Vector<T> every_second(Vector<T> x, Vector<T> y, std::index_sequence<I...>) {
#if defined(__clang__) || __GNUC__ >= 12
    return __builtin_shufflevector(x, y, (2 * static_cast<int>(I) + Odd)...);
#else
    return __builtin_shuffle(x, y, Mask<T>{(2 * static_cast<Bits<T>>(I) + Odd)...});
#endif
}

}  // namespace detail

// [x0 + x1, x2 + x3, ..., y0 + y1, ...]
template <class T>
inline Vector<T> sums_of_neighbours(Vector<T> x, Vector<T> y) {
    using Indices = std::make_index_sequence<kLanes<T>>;
    return detail::every_second<T, 0>(x, y, Indices{}) + detail::every_second<T, 1>(x, y, Indices{});
}

// Writes the sum over the lanes of each of the `Count` vectors, always in the same order of adding.
template <class T, int Count>
inline void lane_sums(Vector<T>* vectors, T* sums) {
    constexpr int lanes = kLanes<T>;
    for (int first = 0; first < Count; first += lanes) {
        Vector<T> here[lanes];
        for (int i = 0; i < lanes; ++i)
            here[i] = first + i < Count ? vectors[first + i] : Vector<T>{};
        for (int left = lanes; left > 1; left /= 2)
            for (int i = 0; i < left / 2; ++i)
                here[i] = sums_of_neighbours<T>(here[2 * i], here[2 * i + 1]);
        for (int i = 0; i < lanes && first + i < Count; ++i) sums[first + i] = here[0][i];
    }
}

}  // namespace symbreak
