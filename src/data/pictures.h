// Sets of pictures that are files of their own: decoded, brought to one size, and put together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chalkgrad/data.h"

namespace chalk {

struct PictureFile {
  std::string path;
  std::int32_t label = 0;
};

/// What a source says of its pictures behind the path.
struct PictureOptions {
  std::string size{};      ///< "32" or "ROWSxCOLUMNS"; empty: what the network takes, or the size all have
  std::string channels{};  ///< "1" or "3"; empty: what the network takes, or 1 if all are grey and 3 otherwise
  std::string background = "white";

  void visit_pictures(FieldVisitor& v);
};

/// Puts the samples of these files into both parts, decoded as load_image() does; name and class_names must be set
/// already, and check() is left to the caller. Files are decoded by several threads; the result does not depend on how
/// many. Throws InputError naming the first file that cannot be decoded (or, with LoadOptions::skip_bad, lists all of
/// them in Split::skipped), a file of another size than the first one if no size is given, and what would not fit into
/// this machine's memory.
void load_pictures(Split& split, const std::vector<PictureFile>& train, const std::vector<PictureFile>& test,
                   const PictureOptions& own, const LoadOptions& options);

/// Whether a file's name ends as names of pictures do, and as those of pictures that can be decoded.
bool is_picture_name(std::string_view name);

}  // namespace chalk
