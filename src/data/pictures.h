// Sets of pictures that are files of their own: decoded, brought to one size, and put together.
#pragma once

#include <string>

#include "chalkgrad/data.h"
#include "src/data/picture_index.h"

namespace chalk {

/// What a source says of its pictures behind the path.
struct PictureOptions {
  std::string size{};      ///< "32" or "ROWSxCOLUMNS"; empty: what the network takes, or the size all have
  std::string channels{};  ///< "1" or "3"; empty: what the network takes, or 1 if all are grey and 3 otherwise
  std::string background = "white";
  std::string fit{};  ///< "stretch" or "crop"; empty: as a model's, or stretch

  void visit_pictures(FieldVisitor& v);
};

/// Puts the samples of these files into both parts, decoded as load_image() does; name and class_names must be set
/// already, and check() is left to the caller. They are decoded into memory or, if they would take more than
/// LoadOptions::memory says, whenever they are needed, or come from LoadOptions::cache; a remark says so. Files are
/// decoded by several threads; the result does not depend on how many. Throws InputError naming the first file that
/// cannot be decoded (or, with LoadOptions::skip_bad, lists all of them in Split::skipped), and a file of another size
/// than the first one if no size is given.
void load_pictures(Split& split, PictureIndex train, PictureIndex test, const PictureOptions& own,
                   const LoadOptions& options);

}  // namespace chalk
