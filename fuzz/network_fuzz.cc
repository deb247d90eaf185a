// Networks and training configurations from text: whatever is given, an error or a graph that holds together, never a
// crash and never for long.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "chalkgrad/cost.h"
#include "chalkgrad/error.h"
#include "chalkgrad/train.h"
#include "src/net/build.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    chalk::TrainOptions options;
    chalk::read_train_config(text, "network", options);
  } catch (const chalk::InputError& e) {
    if (std::string_view(e.what()).empty()) throw std::logic_error("an error without words");
  }
  for (const chalk::Shape& input : {chalk::Shape{1, 8, 8}, chalk::Shape{7}, chalk::Shape{}}) {
    try {
      const auto graph = chalk::build_graph(text, input);
      graph.verify();  // throws what is not caught here
      if (chalk::cost(graph).forward < 0) throw std::logic_error("a network costs less than nothing");
    } catch (const chalk::Error& e) {
      if (std::string_view(e.what()).empty()) throw std::logic_error("an error without words");
    }
  }
  return 0;
}
