// Any bytes as a table: an InputError, or samples of one shape. The first byte chooses options.
#include <cstdlib>

#include "chalkgrad/error.h"
#include "src/data/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  chalk::TableOptions own;
  const unsigned choice = data[0];
  own.missing = choice % 3;
  own.header = choice / 3 % 3;
  if (choice / 9 % 2 == 1) own.label = "1";
  if (choice / 18 % 2 == 1) own.shape = "1x1x2";
  try {
    const chalk::LoadOptions options{.skip_bad = choice / 36 % 2 == 1};
    const chalk::TableFile file({data, data + size}, "fuzz", own);
    chalk::Table table(file, own, options);
    chalk::Split split;
    const auto samples = table.samples(file, true, split);
    table.tell(file, split);
    if (samples.size() > 0) samples.check();
  } catch (const chalk::InputError&) {
  }
  return 0;
}
