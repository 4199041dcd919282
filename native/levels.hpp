// Whether this processor runs a level of instructions.
#pragma once

#include <cstring>

namespace symbreak {

inline bool runs(const char* level) {
    if (std::strcmp(level, "baseline") == 0) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (std::strcmp(level, "x86_64_v4") == 0) return v4;
    if (std::strcmp(level, "x86_64_v3") == 0) return v3;
    if (std::strcmp(level, "x86_64_v2") == 0) return v2;
#endif
    return false;
}

}  // namespace symbreak
