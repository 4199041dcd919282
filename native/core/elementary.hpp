// exp, expm1, log1p and the tail of the normal distribution, for vectors.
//
// Accuracy: at most 2 units in the last place (3 for the tail), also where the result is subnormal
// but for rounding there; NaN stays NaN. The coefficients are Chebyshev fits, made and printed by
// native/coefficients.py; the methods are those of Cody & Waite (1980) for exp, of fdlibm for log1p
// and of Shepherd & Laframboise (1981) for the scaled tail.
#pragma once

#include "vector.hpp"

namespace symbreak {

// Horner's scheme, the lowest coefficient first.
template <class T, int N>
inline Vector<T> polynomial(Vector<T> x, const T (&c)[N]) {
    Vector<T> sum = all<T>(c[N - 1]);
    for (int i = N - 2; i >= 0; --i) sum = sum * x + c[i];
    return sum;
}

template <class T>
struct Constants;

template <>
struct Constants<double> {
    static constexpr int mantissa_bits = 52;
    static constexpr std::int64_t exponent_bias = 1023;
    static constexpr double to_integer = 6755399441055744.0;  // 1.5 * 2^52 holds an integer below
    static constexpr double ln2_high = 6.93147180369123816490e-01;  // n * ln2_high is exact
    static constexpr double ln2_low = 1.90821492927058770002e-10;
    static constexpr double lowest_exponent = -753.0, highest_exponent = 710.0;
    // (exp(r) - 1 - r) / r^2 on |r| <= ln(2) / 2
    static constexpr double exponential[] = {
        0.5, 0.1666666666666667099, 0.04166666666666666975, 0.008333333333326135126, 0.00138888888888837483, 0.0001984126987482062527, 0.00002480158732554774122, 2.755725540020642443e-6, 2.755727364311029533e-7, 2.510521700472074516e-8, 2.091468696808687723e-9};
    // (r coth(r) - 1) / r^2 as a polynomial in r^2, on |r| <= ln(2) / 4
    static constexpr double cotangent[] = {
        0.3333333333333332308, -0.0222222222220515211, 0.002116402070919304841,
        -0.0002116359684331066345, 0.00002121608335566043766};
    // (log((1 + s) / (1 - s)) - 2 s) / s^3 as a polynomial in s^2
    static constexpr double logarithm[] = {
        0.6666666666666666646, 0.4000000000000089036, 0.2857142857079543094, 0.2222222239356660867,
        0.1818179544237198542, 0.1538625044794018861, 0.1326848568065442683, 0.1308962916067462269};
    // (1 + 1.25 z) exp(z^2 / 2) Phi(-z) as a polynomial in (z - centre) / (z + centre)
    static constexpr double tail_centre = 4.5, tail_end = 39;
    static constexpr double tail[] = {
        0.5618224727141773078,     -0.07908516279848901137,   -0.0003826906304989666785,
        0.04308649630084519722,    -0.04809679138836022935,   0.03230521924503543152,
        -0.01429704943692475821,   0.003457801612872012452,   0.0002231412090718329524,
        -0.0004669226005735697231, 0.00008575500534892811925, 0.00004584948523334480515,
        -0.00001866661814115535215, -4.968787646469497511e-6, 3.215236808142688867e-6,
        7.354217060820922167e-7,   -5.327034683360494115e-7,  -1.514451204812090004e-7,
        7.883378208650609224e-8,   3.397167142609761563e-8,   -6.312235517332242609e-9,
        -5.171156652208177667e-9,  -6.751820185593971163e-10};
    // (Phi(z) - 1 / 2) / z as a polynomial in z^2 <= 1
    static constexpr double middle[] = {
        0.39894228040143267, -0.0664903800669038591, 0.009973557009983382573, -0.001187328214807940469, 0.0001154346832308361542, -9.444639808676773789e-6, 6.659316904081041869e-7, -4.117308931965183554e-8, 2.227076539172118732e-9, -9.026109904565583713e-11};
    static constexpr std::int64_t low_half = (std::int64_t{1} << 27) - 1;
};

template <>
struct Constants<float> {
    static constexpr int mantissa_bits = 23;
    static constexpr std::int32_t exponent_bias = 127;
    static constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float lowest_exponent = -110.0f, highest_exponent = 89.0f;
    static constexpr float exponential[] = {
        0.5f, 0.166666666816232314f, 0.04166646492528590541f, 0.008333310925480900835f, 0.001393364999630925043f, 0.0001989099082467365385f};
    static constexpr float cotangent[] = {0.3333330954078745574f, -0.02215882414016972368f};
    static constexpr float logarithm[] = {0.6666666655352536182f, 0.4000012263369878286f,
                                          0.2855073084477380607f, 0.2333291280436864249f};
    static constexpr float tail_centre = 3.5f, tail_end = 14.6f;
    static constexpr float tail[] = {
        0.5716051997074950739f,  -0.07535575655659534265f,  -0.03048015150764103808f,
        0.06296843464603394965f, -0.04258891648142761099f,  0.01337308377324740136f,
        0.0006929855830927789779f, -0.001895777187006155551f, 0.0000898360289145378395f,
        0.0002723712950366444742f, 0.00004340121339957240861f};
    static constexpr float middle[] = {
        0.3989422801308406168f, -0.06649036056718690052f, 0.009973328481256170609f, -0.001186343988801988742f, 0.000113502296192861412f, -7.660538171382089886e-6f};
    static constexpr std::int32_t low_half = (std::int32_t{1} << 12) - 1;
};

// x = n step + r, step = ln 2 or a part of it that is a power of two, with the integer n nearest to
// x / step, kept as an integer and as a number.
template <class T>
struct Reduced {
    Mask<T> n;
    Vector<T> as_number, r;
};

template <class T>
inline Reduced<T> reduce(Vector<T> x, T part = 1) {
    using C = Constants<T>;
    const Vector<T> shifted = x * (static_cast<T>(1.44269504088896340736) / part) + C::to_integer;
    const Mask<T> n = as_bits<T>(shifted) - as_bits<T>(all<T>(C::to_integer));
    const Vector<T> number = shifted - C::to_integer;
    return {n, number, (x - number * (part * C::ln2_high)) - number * (part * C::ln2_low)};
}

// exp(r) - 1
template <class T>
inline Vector<T> small_expm1(Vector<T> r) {
    return r + r * r * polynomial<T>(r, Constants<T>::exponential);
}

// 2^n for n within the exponents of normal numbers
template <class T>
inline Vector<T> power_of_two(Mask<T> n) {
    return from_bits<T>((n + Constants<T>::exponent_bias) << Constants<T>::mantissa_bits);
}

// exp(x) as 2^n times a number near one
template <class T>
struct Exponential {
    Mask<T> n;
    Vector<T> near_one;

    // factor exp(x): 2^n comes last, so that what exp(x) alone would lose as a subnormal number stays;
    // in two steps, as 2^n itself may be too large or too small.
    Vector<T> times(Vector<T> factor) const {
        const Mask<T> half = n >> 1;
        return near_one * factor * power_of_two<T>(half) * power_of_two<T>(n - half);
    }
};

// exp(x - less), `less` tiny
template <class T>
inline Exponential<T> split_exponential(Vector<T> x, Vector<T> less = Vector<T>{}) {
    using C = Constants<T>;
    x = at_least<T>(at_most<T>(x, all<T>(C::highest_exponent)), all<T>(C::lowest_exponent));
    const Reduced<T> reduced = reduce<T>(x);
    return {reduced.n, 1 + small_expm1<T>(reduced.r - less)};
}

template <class T>
inline Vector<T> exponential(Vector<T> x) {
    return split_exponential<T>(x).times(all<T>(1));
}

// exp(x) - 1 for x <= 64, where nothing is too large
template <class T>
inline Vector<T> expm1(Vector<T> x) {
    const Reduced<T> reduced = reduce<T>(at_least<T>(x, all<T>(-64)));
    const Vector<T> power = power_of_two<T>(reduced.n);
    return power * small_expm1<T>(reduced.r) + (power - 1);
}

// log(1 + y) for y >= 0; infinity for infinity
template <class T>
inline Vector<T> log1p(Vector<T> y) {
    using C = Constants<T>;
    const Vector<T> u = 1 + y;
    const Vector<T> lost = y - (u - 1);  // what rounding took from 1 + y
    const Mask<T> bits = as_bits<T>(u);
    const Mask<T> one = as_bits<T>(all<T>(1));
    const Bits<T> mantissa = (Bits<T>{1} << C::mantissa_bits) - 1;
    Vector<T> f = from_bits<T>((bits & mantissa) | one);
    const Mask<T> exponent = (bits >> C::mantissa_bits) - C::exponent_bias;
    Vector<T> k = from_bits<T>(exponent + as_bits<T>(all<T>(C::to_integer))) - C::to_integer;
    const Mask<T> is_large = f > static_cast<T>(1.41421356237309504880);
    f = select<T>(is_large, f * static_cast<T>(0.5), f);
    k = select<T>(is_large, k + 1, k);
    const Vector<T> s = (f - 1) / (f + 1);
    const Vector<T> z = s * s;
    const Vector<T> small = s * z * polynomial<T>(z, C::logarithm) + (k * C::ln2_low + lost / u);
    const Vector<T> result = k * C::ln2_high + (2 * s + small);
    return select<T>(y < static_cast<T>(__builtin_inf()), result, y);
}

// exp(-z^2 / 2), and Phi(-|z|) / exp(-z^2 / 2), the scaled tail of the normal distribution
template <class T>
struct NormalTail {
    Exponential<T> power;
    Vector<T> scaled;
};

template <class T>
inline NormalTail<T> normal_tail(Vector<T> z) {
    using C = Constants<T>;
    const Vector<T> t = at_most<T>(absolute<T>(z), all<T>(C::tail_end));
    // z^2 / 2 in two parts, the larger of them exact.
    const Vector<T> high = from_bits<T>(as_bits<T>(t) & ~all_bits<T>(C::low_half));
    const Vector<T> low = (t - high) * (t + high) * static_cast<T>(0.5);
    const Vector<T> place = (t - C::tail_centre) / (t + C::tail_centre);
    const Vector<T> scaled = polynomial<T>(place, C::tail) / (1 + static_cast<T>(1.25) * t);
    return {split_exponential<T>(high * high * static_cast<T>(-0.5), low), scaled};
}

}  // namespace symbreak
