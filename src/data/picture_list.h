// Lists of pictures: text files with a path and a label in each line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chalk {

struct ListedPicture {
  std::string path, label;
  std::string where;  ///< "list.txt: line 3", for messages
};

/// Lines with a comma or a tab, as the first one says, are read as a table, whose first line may name the columns;
/// others are divided at their last blank. `name` is the file's name for messages. Throws InputError naming the line
/// that is no path and label, and for a list without any.
std::vector<ListedPicture> read_picture_list(std::string_view text, const std::string& name);

}  // namespace chalk
