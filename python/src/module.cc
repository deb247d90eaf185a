// The extension module chalkgrad._engine: the public headers, a file for each or a few of them. What people import is
// the package around it (python/chalkgrad).
#include "chalkgrad/cores.h"
#include "chalkgrad/program.h"
#include "python/src/common.h"

NB_MODULE(_engine, m) {
  using namespace chalk::python;
  m.doc() = "The engine's classes and functions, as chalkgrad shows them.";
  m.attr("__version__") = CHALKGRAD_VERSION;
  bind_errors(m);
  m.def("instruction_set", &chalk::instruction_set,
        "The instruction set in use: 'avx512', 'avx2', 'neon' or 'portable'. Results do not depend on it.\n\n"
        "CHALKGRAD_TARGET=avx2 in the environment forces one.\n\n"
        ">>> chalkgrad.instruction_set() in ('avx512', 'avx2', 'neon', 'portable')\nTrue\n");
  bind_options(m);
  bind_data(m);
  bind_network(m);
  bind_training(m);
  bind_prediction(m);
  bind_graph(m);
  bind_operations(m);
  bind_derivations(m);
}
