// How a graph is prepared for running.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace chalk {

struct CompileOptions {
  int threads = 0;                          ///< 1 … 1024; 0: as many as Cores (cores.h) says, one per core
  std::string guard{};                      ///< a shared scalar output (the loss): if it is not finite, run() throws
                                            ///< NumericError before any parameter is updated
  std::uint64_t seed = 0;                   ///< of the graph's noise (Graph::noise)
  std::size_t memory = 0;                   ///< bytes that a run of `memory_samples` samples may take, parameters
                                            ///< included and what is fed not: as far as it must, it computes values
                                            ///< again instead of keeping them, to the same bits. 0: no limit.
                                            ///< InputError if that is too little
  std::size_t memory_samples = 0;           ///< needed with `memory`
  bool profile = false;                     ///< measures each kernel's time, for Program::profile()
  std::set<std::string> disabled_passes{};  ///< "simplify", "fold_scales", "split_variance", "fuse": for comparison
  std::set<std::string> print_after{};      ///< these, and "differentiate" and "plan": what each has made is given to
                                            ///< `print`
  std::function<void(std::string_view pass, const std::string& graph)> print{};
};

}  // namespace chalk
