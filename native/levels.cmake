# Levels of instructions by name: what the compiler is told, and which of them are built.
# `native/levels.hpp` says of each whether a processor has it.

function(flags_of_level name result)
  set(flags "")
  if(name STREQUAL x86_64_v2)
    set(flags -march=x86-64-v2)
  elseif(name STREQUAL x86_64_v3)
    set(flags -march=x86-64-v3)
  elseif(name STREQUAL x86_64_v4)
    set(flags -march=x86-64-v4 -mprefer-vector-width=512)
  endif()
  set(${result} "${flags}" PARENT_SCOPE)
endfunction()

# All levels of this architecture, or the highest that this processor runs.
function(levels_to_build result)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(${result} baseline PARENT_SCOPE)
    return()
  endif()
  set(all x86_64_v4 x86_64_v3 x86_64_v2)
  if(SYMBREAK_ALL_LEVELS)
    set(${result} ${all} PARENT_SCOPE)
    return()
  endif()
  foreach(name IN LISTS all)
    # The program ends with success where the level runs.
    try_run(runs compiles "${CMAKE_BINARY_DIR}/levels/${name}"
            "${CMAKE_SOURCE_DIR}/native/supports.cpp"
            COMPILE_DEFINITIONS -DLEVEL="${name}" CXX_STANDARD 17)
    if(compiles AND runs EQUAL 0)
      set(${result} ${name} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} baseline PARENT_SCOPE)
endfunction()
