// The built-in digits: data/digits.csv.gz, embedded in the library by cmake/embed.cmake. See data/README.md.
#include <charconv>
#include <string_view>

#include "chalkgrad/data.h"
#include "chalkgrad/error.h"
#include "src/base/text.h"
#include "src/data/sources/source.h"
#include "src/files/gzip.h"

namespace chalk {
namespace embedded {
extern const unsigned char digits_csv_gz[];
extern const std::size_t digits_csv_gz_size;
}  // namespace embedded

namespace {

constexpr int kDigitSide = 8;
constexpr int kBrightest = 16;

// Takes one number and the comma or line end behind it.
int take_number(std::string_view& text) {
  int number = -1;
  const auto* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || next == end || (*next != ',' && *next != '\n') || number < 0 || number > kBrightest) {
    throw Error("digits: the built-in data are damaged; build chalkgrad again");
  }
  text.remove_prefix(static_cast<std::size_t>(next + 1 - text.data()));
  return number;
}

}  // namespace

Split digits() {
  const std::span gzipped(embedded::digits_csv_gz, embedded::digits_csv_gz_size);
  const auto csv = gunzip(gzipped, std::size_t{1} << 20U, "digits");
  std::string_view text(reinterpret_cast<const char*>(csv.data()), csv.size());
  Split split;
  for (auto* data : {&split.train, &split.test}) {
    data->name = "digits";
    data->sample = {1, kDigitSide, kDigitSide};
    for (int c = 0; c < 10; ++c) data->class_names.push_back(std::to_string(c));
  }
  for (int i = 0; !text.empty(); ++i) {
    auto& data = i % 5 == 4 ? split.test : split.train;
    for (int pixel = 0; pixel < kDigitSide * kDigitSide; ++pixel) {
      data.bytes.push_back(static_cast<std::uint8_t>((take_number(text) * 255 + kBrightest / 2) / kBrightest));
    }
    data.labels.push_back(take_number(text));
  }
  normalise(split);
  split.train.check();
  split.test.check();
  return split;
}

const DataSource source_digits{
    .word = "digits",
    .argument = "",
    .example = "",
    .hint = "",
    .lacking = "",
    .about = "The 1,797 handwritten digits of UCI's optdigits, 1×8×8, built in; every fifth is a test sample",
    .options = nullptr,
    .load = [](const std::string&, const LoadOptions&) { return digits(); },
};

}  // namespace chalk
