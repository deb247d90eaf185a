#include "src/data/pictures.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "chalkgrad/error.h"
#include "chalkgrad/image.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/threads.h"
#include "src/base/wording.h"
#include "src/data/normalise.h"

namespace chalk {
namespace {

/// Rows and columns.
using Size = std::array<int, 2>;

Size read_size(std::string_view text) {
  constexpr int kLongest = 65536;
  const auto parts = split(text, 'x');
  const auto rows = number_in<int>(parts[0]), columns = number_in<int>(parts.back());
  if (parts.size() > 2 || !rows || !columns || *rows < 1 || *columns < 1 || *rows > kLongest || *columns > kLongest) {
    throw InputError(
        str("must be a number of pixels such as 32, or ROWSxCOLUMNS such as 32x48, not ", in_quotes(text)));
  }
  return {*rows, *columns};
}

std::string shown(const Size& size) { return str(size[0], "×", size[1]); }

/// What becomes of each picture; 0 is not known yet.
struct Form {
  int channels = 0;
  Size size = {0, 0};
  bool one_size = false;     // of pictures themselves: another one is an error
  bool may_be_grey = false;  // the channels are a guess: a picture in colour makes them 3
  std::string first{};       // the picture that the size is of
  std::size_t each() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]);
  }
};

Form form_of(const PictureOptions& own, const LoadOptions& options) {
  Form form;
  if (options.sample.size() == 3 && (options.sample[0] == 1 || options.sample[0] == 3)) {
    form.channels = static_cast<int>(options.sample[0]);
    form.size = {static_cast<int>(options.sample[1]), static_cast<int>(options.sample[2])};
  }
  if (!own.size.empty()) form.size = read_size(own.size);
  if (!own.channels.empty()) form.channels = *number_in<int>(own.channels);
  return form;
}

/// The files of one part and what became of them.
struct Decoded {
  std::vector<std::uint8_t> bytes;
  std::vector<Size> sizes;
  std::vector<std::string> errors;  // empty: the picture is there
};

class Decoder {
 public:
  Decoder(const PictureOptions& own, const LoadOptions& options)
      : background_(*colour_in(own.background)), options_(options), form_(form_of(own, options)) {}

  /// What a file shows; its errors say which option helps.
  Image load(const std::string& path) const {
    try {
      return load_image(path, background_);
    } catch (const InvisibleImage& e) {
      throw InputError(str(e.what(), " by the option background=", e.visible_on.red == 0 ? "black" : "white"));
    }
  }

  /// Takes what is not known yet from the first picture that can be read.
  void decide(const std::vector<PictureFile>& files) {
    for (const auto& file : files) {
      if (form_.channels != 0 && form_.size[0] != 0) return;
      const auto image = readable(file.path);
      if (!image) continue;  // decode() meets it again
      if (form_.size[0] == 0) {
        form_.size = {image->height, image->width};
        form_.one_size = !options_.any_size;
        form_.first = file.path;
      }
      if (form_.channels == 0) {
        form_.channels = image->channels;
        form_.may_be_grey = image->channels == 1;
      }
    }
  }

  /// All files, in their order; nothing if there is one in colour where none had been.
  std::optional<Decoded> decode(const std::vector<PictureFile>& files, ThreadTeam& team) {
    if (form_.channels == 0) form_.channels = 1;  // no file can be read
    if (form_.size[0] == 0) form_.size = {1, 1};
    check_memory(files.size());
    Decoded decoded;
    decoded.bytes.resize(files.size() * form_.each());
    decoded.sizes.resize(files.size());
    decoded.errors.resize(files.size());
    std::atomic<std::size_t> next = 0, stop_at = files.size();
    std::atomic<bool> colour = false;
    // Files before this one are still read, so that the first error is the same on any number of threads.
    const auto stop = [&](std::size_t i) {
      for (auto last = stop_at.load(); i < last && !stop_at.compare_exchange_weak(last, i);) {
      }
    };
    auto work = [&](int) {
      for (std::size_t i = 0; (i = next++) < stop_at && !colour;) {
        try {
          const auto image = load(files[i].path);
          if (form_.may_be_grey && image.channels == 3) colour = true;
          decoded.sizes[i] = {image.height, image.width};
          decoded.errors[i] = wrong_size(decoded.sizes[i], files[i].path);
          if (!decoded.errors[i].empty()) {
            stop(i);
            continue;
          }
          const auto sample = fit_image(image, form_.channels, form_.size[0], form_.size[1]);
          std::ranges::copy(sample, decoded.bytes.begin() + static_cast<std::ptrdiff_t>(i * form_.each()));
        } catch (const InputError& e) {
          decoded.errors[i] = e.what();
          if (!options_.skip_bad) stop(i);
        }
      }
    };
    team.run(work);
    if (colour) {
      form_.may_be_grey = false;
      form_.channels = 3;
      return {};
    }
    if (stop_at < files.size()) throw InputError(decoded.errors[stop_at]);
    return decoded;
  }

  const Form& form() const { return form_; }

 private:
  std::optional<Image> readable(const std::string& path) const {
    try {
      return load(path);
    } catch (const InputError&) {
      return {};
    }
  }
  /// What is wrong with a picture of this size, or nothing.
  std::string wrong_size(const Size& size, const std::string& path) const {
    if (!form_.one_size || size == form_.size) return {};
    return str(path, ": has ", shown(size), " pixels, but ", form_.first, " has ", shown(form_.size),
               "; say what all are brought to by the option size=", form_.size[0], "x", form_.size[1]);
  }
  void check_memory(std::size_t files) const {
    const auto memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    const auto need = static_cast<double>(files) * static_cast<double>(form_.each());
    if (need <= memory) return;
    throw InputError(str(grouped(files), " pictures of ", form_.channels, "×", shown(form_.size), " need ",
                         static_cast<std::int64_t>(need / 1e9), " GB, and this machine has ",
                         static_cast<std::int64_t>(memory / 1e9),
                         "; bring them to fewer pixels by the option size=64"));
  }

  Colour background_;
  const LoadOptions& options_;
  Form form_;
};

/// Adds what could be read to the part, and the others to those that were left out.
void take(Decoded decoded, const std::vector<PictureFile>& files, const Form& form, Dataset& part, Split& split,
          std::map<Size, PictureSize>& sizes) {
  part.sample = {form.channels, form.size[0], form.size[1]};
  std::size_t kept = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!decoded.errors[i].empty()) {
      split.skipped.push_back(decoded.errors[i]);
      continue;
    }
    auto& size = sizes[decoded.sizes[i]];
    if (size.samples++ == 0) size = {decoded.sizes[i][0], decoded.sizes[i][1], 1, files[i].path};
    part.labels.push_back(files[i].label);
    part.files.push_back(files[i].path);
    const auto from = decoded.bytes.begin() + static_cast<std::ptrdiff_t>(i * form.each());
    if (kept != i)
      std::copy_n(from, form.each(), decoded.bytes.begin() + static_cast<std::ptrdiff_t>(kept * form.each()));
    ++kept;
  }
  decoded.bytes.resize(kept * form.each());
  part.bytes = std::move(decoded.bytes);
}

}  // namespace

void PictureOptions::visit_pictures(FieldVisitor& v) {
  v.field(
      {"size", [](const std::string& text) { read_size(text); },
       "what all pictures are brought to: `32`, or `32x48` for 32 rows of 48 (without it, all must have one size, or "
       "a model's)"},
      size);
  v.field({"channels",
           [](const std::string& text) {
             if (text != "1" && text != "3") throw InputError(str("must be 1 or 3, not ", in_quotes(text)));
           },
           "`1`, grey, or `3`, colour (without it, 1 if all pictures are grey, or a model's)"},
          channels);
  v.field({"background",
           [](const std::string& text) {
             if (!colour_in(text)) {
               throw InputError(str("must be white, black or RRGGBB such as ffcc00, not ", in_quotes(text)));
             }
           },
           "what transparent pictures lie on: `white`, `black` or RRGGBB"},
          background);
}

bool is_picture_name(std::string_view name) {
  constexpr std::array<std::string_view, 17> endings = {"jpg",  "jpeg", "jfif", "png",  "ppm", "pgm",
                                                        "pbm",  "pnm",  "bmp",  "gif",  "tif", "tiff",
                                                        "webp", "avif", "heic", "heif", "jpe"};
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string ending(name.substr(dot + 1));
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::find(endings, ending) != endings.end();
}

void load_pictures(Split& split, const std::vector<PictureFile>& train, const std::vector<PictureFile>& test,
                   const PictureOptions& own, const LoadOptions& options) {
  ThreadTeam team(available_threads());
  Decoder decoder(own, options);
  decoder.decide(train);
  decoder.decide(test);
  for (;;) {
    auto of_train = decoder.decode(train, team);
    if (!of_train) continue;
    auto of_test = decoder.decode(test, team);
    if (!of_test) continue;
    std::map<Size, PictureSize> sizes;
    take(std::move(*of_train), train, decoder.form(), split.train, split, sizes);
    take(std::move(*of_test), test, decoder.form(), split.test, split, sizes);
    for (auto& [size, found] : sizes) split.sizes.push_back(std::move(found));
    break;
  }
  std::ranges::stable_sort(split.sizes, std::ranges::greater(), &PictureSize::samples);
  if (split.train.size() + split.test.size() > 0) normalise(split);
}

}  // namespace chalk
