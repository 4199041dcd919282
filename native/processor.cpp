// Asked at import which builds of the core run here; itself built for any processor.
#include <nanobind/nanobind.h>

#include "levels.hpp"

NB_MODULE(processor, m) { m.def("runs", &symbreak::runs, nanobind::arg("level")); }
