#include "src/files/cifar.h"

#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {

void add_cifar(CifarRecords& records, std::span<const std::uint8_t> bytes, std::string_view name,
               std::span<const int> classes) {
  const auto each = classes.size() + kCifarPixels;
  if (bytes.empty() || bytes.size() % each != 0) {
    throw InputError(str(name, ": has ", grouped(bytes.size()), " bytes, which is no multiple of ", grouped(each), ", ",
                         classes.size() == 1 ? "a label" : "two labels",
                         " and 3×32×32 pixels; fetch the file again, in its binary version"));
  }
  for (std::size_t record = 0; record < bytes.size() / each; ++record) {
    const auto from = bytes.subspan(record * each, each);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (from[i] < classes[i]) continue;
      throw InputError(str(name, ": record ", grouped(record), " has the label ", int{from[i]}, ", but there are ",
                           classes[i], " classes, from 0; the file is damaged or of another kind: fetch it again"));
    }
    records.labels.insert(records.labels.end(), from.begin(),
                          from.begin() + static_cast<std::ptrdiff_t>(classes.size()));
    records.pixels.insert(records.pixels.end(), from.begin() + static_cast<std::ptrdiff_t>(classes.size()), from.end());
  }
}

}  // namespace chalk
