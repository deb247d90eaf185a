// Pictures that a file keeps decoded (LoadOptions::cache).
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/data/picture_decoder.h"

namespace chalk {

struct CachedPictures {
  std::array<DecodedPart, 2> parts;
  std::array<std::shared_ptr<const PictureStore>, 2> stores;
  std::vector<std::string> remarks;
};

/// The pictures of both parts, from the file at `path` if it was made of the same files: same paths, sizes and times of
/// their last change, same background and decoders, and a form that the decoder would decide on, too. Otherwise they
/// are decoded, and the file is made anew; of two programs that want to make it, one waits for the other. Gives the
/// decoder the form that the pictures have. Throws InputError if the file at
/// `path` is no cache, for a file that cannot be used (unless `skip_bad`), and if the cache cannot be written.
CachedPictures cached_pictures(const std::filesystem::path& path, const PictureFiles& files, PictureDecoder& decoder,
                               bool skip_bad, ThreadTeam& team);

}  // namespace chalk
