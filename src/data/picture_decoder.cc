#include "src/data/picture_decoder.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "chalkgrad/error.h"
#include "src/base/reading.h"
#include "src/base/text.h"
#include "src/base/wording.h"

namespace chalk {
namespace {

std::string shown(const PixelSize& size) { return str(size[0], "×", size[1]); }

PictureForm form_of(const PictureOptions& own, const LoadOptions& options) {
  PictureForm form;
  if (options.sample.size() == 3 && (options.sample[0] == 1 || options.sample[0] == 3)) {
    form.channels = static_cast<int>(options.sample[0]);
    form.size = {static_cast<int>(options.sample[1]), static_cast<int>(options.sample[2])};
  }
  if (!own.size.empty()) form.size = read_pixel_size(own.size);
  if (!own.channels.empty()) form.channels = *number_in<int>(own.channels);
  form.fit = own.fit.empty() ? options.fit : own.fit == "crop" ? Fit::crop : Fit::stretch;
  form.size_is_given = form.size[0] != 0;
  form.channels_are_given = form.channels != 0;
  return form;
}

}  // namespace

PixelSize read_pixel_size(std::string_view text) {
  constexpr int kLongest = 65536;
  const auto parts = split(text, 'x');
  const auto rows = number_in<int>(parts[0]), columns = number_in<int>(parts.back());
  if (parts.size() > 2 || !rows || !columns || *rows < 1 || *columns < 1 || *rows > kLongest || *columns > kLongest) {
    throw InputError(
        str("must be a number of pixels such as 32, or ROWSxCOLUMNS such as 32x48, not ", in_quotes(text)));
  }
  return {*rows, *columns};
}

PictureDecoder::PictureDecoder(const PictureOptions& own, const LoadOptions& options)
    : background_(*colour_in(own.background)),
      skip_bad_(options.skip_bad),
      any_size_(options.any_size),
      form_(form_of(own, options)) {}

std::uint32_t PictureDecoder::background() const {
  return std::uint32_t{background_.red} << 16U | std::uint32_t{background_.green} << 8U | background_.blue;
}

void PictureDecoder::set_form(int channels, const PixelSize& size) {
  form_.channels = channels;
  form_.size = size;
  form_.may_be_grey = false;
}

/// What a file shows; its errors say which option helps.
Image PictureDecoder::load(const std::string& path) const {
  try {
    return load_image(path, background_);
  } catch (const InvisibleImage& e) {
    throw InputError(str(e.what(), " by the option background=", e.visible_on.red == 0 ? "black" : "white"));
  }
}

std::optional<Image> PictureDecoder::readable(const std::string& path) const {
  try {
    return load(path);
  } catch (const InputError&) {
    return {};
  }
}

void PictureDecoder::decide(const PictureFiles& parts) {
  for (const auto& files : parts) {
    for (std::size_t i = 0; i < files->size(); ++i) {
      if (form_.channels != 0 && form_.size[0] != 0) return;
      const auto path = files->path(i);
      const auto image = readable(path);
      if (!image) continue;  // decode() meets it again
      if (form_.size[0] == 0) {
        form_.size = {image->height, image->width};
        form_.one_size = !any_size_;
        form_.first = path;
      }
      if (form_.channels == 0) {
        form_.channels = image->channels;
        form_.may_be_grey = image->channels == 1;
      }
    }
  }
  if (form_.channels == 0) form_.channels = 1;  // no file can be read
  if (form_.size[0] == 0) form_.size = {1, 1};
}

/// What is wrong with a picture of this size, or nothing.
std::string PictureDecoder::wrong_size(const PixelSize& size, const std::string& path) const {
  if (!form_.one_size || size == form_.size) return {};
  return str(path, ": has ", shown(size), " pixels, but ", form_.first, " has ", shown(form_.size),
             "; say what all are brought to by the option size=", form_.size[0], "x", form_.size[1]);
}

void PictureDecoder::read(const std::string& path, std::uint8_t* to) const {
  const auto image = load(path);
  if (const auto wrong = wrong_size({image.height, image.width}, path); !wrong.empty()) throw InputError(wrong);
  std::ranges::copy(fit_image(image, form_.channels, form_.size[0], form_.size[1], form_.fit), to);
}

void PictureDecoder::read_part(const std::string& path, const PictureStore::Choose& choose, std::uint8_t* to) const {
  const auto image = load(path);
  const auto part = crop_image(image, choose(image.height, image.width));
  std::ranges::copy(fit_image(part, form_.channels, form_.size[0], form_.size[1]), to);
}

std::optional<DecodedPart> PictureDecoder::decode(const PictureIndex& files, ThreadTeam& team, const Put& put) {
  DecodedPart decoded;
  decoded.sizes.resize(files.size());
  decoded.channels.resize(static_cast<std::size_t>(form_.channels));
  std::mutex mutex;  // of the errors and the sums of channels
  std::atomic<std::size_t> next = 0, stop_at = files.size();
  std::atomic<bool> colour = false;
  // Files before this one are still read, so that the first error is the same on any number of threads.
  const auto stop = [&](std::size_t i) {
    for (auto last = stop_at.load(); i < last && !stop_at.compare_exchange_weak(last, i);) {
    }
  };
  const auto fail = [&](std::size_t i, std::string what, bool always) {
    const std::lock_guard lock(mutex);
    decoded.errors[i] = std::move(what);
    if (always || !skip_bad_) stop(i);
  };
  auto work = [&](int thread) {
    std::vector<ByteMoments> channels(decoded.channels.size());
    for (std::size_t i = 0; (i = next++) < stop_at && !colour;) {
      const auto path = files.path(i);
      std::optional<Image> image;
      try {
        image = load(path);
      } catch (const InputError& e) {
        fail(i, e.what(), /*always=*/false);
        continue;
      }
      if (form_.may_be_grey && image->channels == 3) colour = true;
      decoded.sizes[i] = {image->height, image->width};
      if (auto wrong = wrong_size(decoded.sizes[i], path); !wrong.empty()) {
        fail(i, std::move(wrong), /*always=*/true);
        continue;
      }
      const auto sample = fit_image(*image, form_.channels, form_.size[0], form_.size[1], form_.fit);
      const auto plane = sample.size() / channels.size();
      for (std::size_t c = 0; c < channels.size(); ++c) channels[c].add(&sample[c * plane], plane);
      put(thread, i, sample);
    }
    const std::lock_guard lock(mutex);
    for (std::size_t c = 0; c < channels.size(); ++c) decoded.channels[c].add(channels[c]);
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

}  // namespace chalk
