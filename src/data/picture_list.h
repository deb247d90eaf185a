// Lists of pictures: text files with a path and a label in each line.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace chalk {

struct ListedPicture {
  std::string_view path, label;
  std::string where;  ///< "list.txt: line 3", for messages
};

/// Lines with a comma or a tab, as the first one says, are read as a table, whose first line may name the columns;
/// others are divided at their last blank. `add` is given each picture, in the order of the list, which may be longer
/// than memory holds. `name` is the file's name for messages. Throws InputError naming the line that is no path and
/// label, and for a list without any.
void read_picture_list(std::string_view text, const std::string& name,
                       const std::function<void(const ListedPicture&)>& add);

}  // namespace chalk
