// How a file becomes a sample of a set of pictures.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/image.h"
#include "src/base/moments.h"
#include "src/base/threads.h"
#include "src/data/picture_index.h"
#include "src/data/pictures.h"

namespace chalk {

/// Rows and columns.
using PixelSize = std::array<int, 2>;

/// Throws InputError unless it is "32" or "ROWSxCOLUMNS".
PixelSize read_pixel_size(std::string_view text);

/// What becomes of each picture; 0 is not known yet.
struct PictureForm {
  int channels = 0;
  PixelSize size = {0, 0};
  bool one_size = false;       ///< of pictures themselves: another one is an error
  bool size_is_given = false;  ///< by the source's options or a network, where it would be that of the first picture
  bool channels_are_given = false;
  bool may_be_grey = false;  ///< the channels are a guess: a picture in colour makes them 3
  std::string first{};       ///< the picture that the size is of
  Fit fit = Fit::stretch;

  std::size_t each() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]);
  }
};

/// What became of the files of one part.
struct DecodedPart {
  std::vector<PixelSize> sizes;               ///< as they are in the files
  std::map<std::size_t, std::string> errors;  ///< of those that cannot be used
  std::vector<ByteMoments> channels;          ///< of all samples that can be used; empty: not known
};

class PictureDecoder {
 public:
  PictureDecoder(const PictureOptions& own, const LoadOptions& options);

  const PictureForm& form() const { return form_; }
  bool any_size() const { return any_size_; }
  /// What is decided elsewhere.
  void set_form(int channels, const PixelSize& size);
  /// The colour behind transparent pictures, as RRGGBB.
  std::uint32_t background() const;

  /// Takes what is not known yet from the first picture that can be read, of the first part that has one.
  void decide(const PictureFiles& parts);

  /// Is given each picture that can be used, by any thread of the team and in any order.
  using Put = std::function<void(int thread, std::size_t picture, std::span<const std::uint8_t> sample)>;
  /// Decodes all files of a part; nothing if there is a picture in colour where none had been, and the form is then
  /// another one. The result does not depend on the number of threads. Throws InputError naming the first file that
  /// cannot be used, unless what is bad is left out, and what `put` throws.
  std::optional<DecodedPart> decode(const PictureIndex& files, ThreadTeam& team, const Put& put);

  /// A file's sample, form().each() bytes. Throws InputError if it cannot be used.
  void read(const std::string& path, std::uint8_t* to) const;
  /// The same of a part of what the file shows.
  void read_part(const std::string& path, const PictureStore::Choose& choose, std::uint8_t* to) const;

 private:
  Image load(const std::string& path) const;
  std::optional<Image> readable(const std::string& path) const;
  std::string wrong_size(const PixelSize& size, const std::string& path) const;

  Colour background_;
  bool skip_bad_, any_size_;
  PictureForm form_;
};

}  // namespace chalk
