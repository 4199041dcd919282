// Ends with success where the processor runs LEVEL; for an install from source.
#include "levels.hpp"

int main() { return symbreak::runs(LEVEL) ? 0 : 1; }
