#include "src/onnx/file.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>

#include "chalkgrad/error.h"
#include "chalkgrad/shape.h"
#include "src/base/file.h"
#include "src/base/text.h"
#include "src/base/wording.h"
#include "src/onnx/element_types.h"
#include "src/onnx/protobuf.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace chalk::onnx {
namespace {

constexpr std::size_t kMostBytesOfFile = std::size_t{1} << 33;  // of a file and of each beside it
constexpr int kMostDepth = 16;                                  // of graphs within graphs
constexpr std::int64_t kLeastIr = 3, kMostIr = 14, kLeastOpset = 6, kMostOpset = 28;

enum class Tag : protozero::pbf_tag_type {};  // fields by number, with their names beside them
constexpr Tag field(protozero::pbf_tag_type number) { return static_cast<Tag>(number); }
using Message = protozero::pbf_message<Tag>;

/// Where tensors' bytes are that the message does not hold.
using External = std::function<std::string_view(const std::string& location)>;

class FileParser {
 public:
  explicit FileParser(External external) : external_(std::move(external)) {}

  FileModel model(Message message) {
    FileModel model;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          model.ir_version = message.get_int64();
          break;
        case 7:
          model.graph = graph(message.get_message(), 0);
          break;
        case 8:
          opset(message.get_message(), model.opsets);
          break;
        case 14:
          entry(message.get_message(), model.metadata);
          break;
        case 25:
          model.functions.push_back(function(message.get_message()));
          break;
        default:
          message.skip();
      }
    }
    return model;
  }

 private:
  static void opset(Message message, std::map<std::string, std::int64_t>& opsets) {
    std::string domain;
    std::int64_t version = 0;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          domain = message.get_string();
          break;
        case 2:
          version = message.get_int64();
          break;
        default:
          message.skip();
      }
    }
    if (domain == "ai.onnx") domain.clear();
    if (!opsets.emplace(domain, version).second)
      throw InputError(str("it imports the operators of ", domain.empty() ? "ONNX" : domain, " twice"));
  }

  static void entry(Message message, std::map<std::string, std::string>& entries) {
    std::string key, value;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          key = message.get_string();
          break;
        case 2:
          value = message.get_string();
          break;
        default:
          message.skip();
      }
    }
    entries[key] = value;
  }

  FileGraph graph(Message message, int depth) {
    if (depth > kMostDepth) throw InputError(str("its graphs lie more than ", kMostDepth, " deep in each other"));
    FileGraph graph;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          graph.nodes.push_back(node(message.get_message(), depth));
          break;
        case 2:
          graph.name = message.get_string();
          break;
        case 5:
          graph.initializers.push_back(tensor(message.get_message()));
          break;
        case 11:
          graph.inputs.push_back(port(message.get_message()));
          break;
        case 12:
          graph.outputs.push_back(port(message.get_message()));
          break;
        case 15:
          throw InputError("it has a sparse initializer; write it as a dense one");
        default:
          message.skip();
      }
    }
    return graph;
  }

  FileFunction function(Message message) {
    FileFunction function;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          function.name = message.get_string();
          break;
        case 4:
          function.inputs.push_back(message.get_string());
          break;
        case 5:
          function.outputs.push_back(message.get_string());
          break;
        case 7:
          function.nodes.push_back(node(message.get_message(), 0));
          break;
        case 10:
          function.domain = message.get_string();
          break;
        case 11:
          function.defaults.push_back(attribute(message.get_message(), 0));
          break;
        default:
          message.skip();
      }
    }
    return function;
  }

  FileNode node(Message message, int depth) {
    FileNode node;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          node.inputs.push_back(message.get_string());
          break;
        case 2:
          node.outputs.push_back(message.get_string());
          break;
        case 3:
          node.name = message.get_string();
          break;
        case 4:
          node.op = message.get_string();
          break;
        case 5:
          node.attributes.push_back(attribute(message.get_message(), depth));
          break;
        case 7:
          node.domain = message.get_string();
          break;
        default:
          message.skip();
      }
    }
    if (node.domain == "ai.onnx") node.domain.clear();
    return node;
  }

  /// Repeated numbers are packed, or not.
  template <class T, class Packed, class One>
  static void numbers(Message& message, std::vector<T>& to, Packed packed, One one) {
    if (message.wire_type() == protozero::pbf_wire_type::length_delimited) {
      for (const auto value : packed(message)) to.push_back(static_cast<T>(value));
    } else {
      to.push_back(static_cast<T>(one(message)));
    }
  }
  template <class T>
  static void varints(Message& message, std::vector<T>& to) {
    numbers(
        message, to, [](Message& m) { return m.get_packed_int64(); }, [](Message& m) { return m.get_int64(); });
  }
  static void floats(Message& message, std::vector<float>& to) {
    numbers(
        message, to, [](Message& m) { return m.get_packed_float(); }, [](Message& m) { return m.get_float(); });
  }

  FileAttribute attribute(Message message, int depth) {
    FileAttribute attribute;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          attribute.name = message.get_string();
          break;
        case 2:
          attribute.real = message.get_float();
          break;
        case 3:
          attribute.whole = message.get_int64();
          break;
        case 4:
          attribute.text = message.get_string();
          break;
        case 5:
          attribute.tensor = tensor(message.get_message());
          break;
        case 6:
          attribute.graph = std::make_shared<FileGraph>(graph(message.get_message(), depth + 1));
          break;
        case 7:
          floats(message, attribute.reals);
          break;
        case 8:
          varints(message, attribute.wholes);
          break;
        case 9:
          attribute.texts.push_back(message.get_string());
          break;
        case 20:
          attribute.type = message.get_int32();
          break;
        case 21:
          attribute.refers_to = message.get_string();
          break;
        default:
          message.skip();
      }
    }
    return attribute;
  }

  static FilePort port(Message message) {
    FilePort port;
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          port.name = message.get_string();
          break;
        case 2:
          type(message.get_message(), port);
          break;
        default:
          message.skip();
      }
    }
    return port;
  }

  static void type(Message message, FilePort& port) {
    while (message.next()) {
      if (message.tag() != field(1)) {  // tensor_type; sequences, maps and the like are none
        message.skip();
        continue;
      }
      Message tensor = message.get_message();
      while (tensor.next()) {
        switch (static_cast<int>(tensor.tag())) {
          case 1:
            port.type = tensor.get_int32();
            break;
          case 2:
            shape(tensor.get_message(), port);
            break;
          default:
            tensor.skip();
        }
      }
    }
  }

  static void shape(Message message, FilePort& port) {
    port.has_shape = true;
    while (message.next()) {
      if (message.tag() != field(1)) {
        message.skip();
        continue;
      }
      Message dimension = message.get_message();
      port.extents.push_back(-1);
      while (dimension.next()) {
        if (dimension.tag() == field(1)) {
          port.extents.back() = dimension.get_int64();
        } else {
          dimension.skip();
        }
      }
    }
  }

  Tensor tensor(Message message) {
    Tensor tensor;
    std::optional<std::string_view> raw;
    std::string typed;
    std::map<std::string, std::string> external;
    bool is_external = false;
    const auto append = [&](const auto& values) {
      for (const auto value : values) typed.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    std::vector<std::int64_t> words;  // of int32_data, each of which is one element of whatever size
    while (message.next()) {
      switch (static_cast<int>(message.tag())) {
        case 1:
          varints(message, tensor.extents);
          break;
        case 2:
          tensor.type = message.get_int32();
          break;
        case 3:
          throw InputError("it has a tensor in segments, which nobody reads");
        case 4: {
          std::vector<float> values;
          floats(message, values);
          append(values);
          break;
        }
        case 5:
          varints(message, words);
          break;
        case 7:
        case 11: {
          std::vector<std::int64_t> values;
          varints(message, values);
          append(values);
          break;
        }
        case 8:
          tensor.name = message.get_string();
          break;
        case 9: {
          const auto view = message.get_view();
          raw = std::string_view(view.data(), view.size());
          break;
        }
        case 10: {
          std::vector<double> values;
          numbers(
              message, values, [](Message& m) { return m.get_packed_double(); },
              [](Message& m) { return m.get_double(); });
          append(values);
          break;
        }
        case 13:
          entry(message.get_message(), external);
          break;
        case 14:
          is_external = message.get_int32() == 1;
          break;
        default:
          message.skip();
      }
    }
    const auto wanted = byte_count(tensor);
    const auto width = bits_of(tensor.type) < 8 ? 1 : bits_of(tensor.type) / 8;
    for (const auto word : words) typed.append(reinterpret_cast<const char*>(&word), width);
    if (is_external) {
      tensor.bytes = part(external, wanted, tensor.name);
    } else if (raw) {
      tensor.bytes = *raw;
      tensor.in_message = true;
    } else {
      tensor.owned = std::make_shared<std::string>(std::move(typed));
      tensor.bytes = *tensor.owned;
    }
    if (tensor.bytes.size() != wanted) {
      throw InputError(str("the tensor ", in_quotes(tensor.name), " has ", tensor.bytes.size(), " bytes, but ", wanted,
                           " are needed for its shape, ", in_brief(to_string(tensor.extents)), " of ",
                           type_name(tensor.type)));
    }
    return tensor;
  }

  /// How many bytes type and extents ask for.
  static std::size_t byte_count(const Tensor& tensor) {
    const auto bits = bits_of(tensor.type);
    if (bits == 0)
      throw InputError(
          str("the tensor ", in_quotes(tensor.name), " is of ", type_name(tensor.type), ", which is no number"));
    std::size_t count = 1;
    for (const auto extent : tensor.extents) {
      if (extent < 0 || (extent > 0 && count > kMostBytesOfFile / static_cast<std::size_t>(extent)))
        throw InputError(
            str("the tensor ", in_quotes(tensor.name), " has the shape ", in_brief(to_string(tensor.extents))));
      count *= static_cast<std::size_t>(extent);
    }
    return (count * bits + 7) / 8;
  }

  std::string_view part(const std::map<std::string, std::string>& external, std::size_t wanted,
                        const std::string& name) const {
    const auto text = [&](const char* key) {
      const auto found = external.find(key);
      return found == external.end() ? std::string() : found->second;
    };
    const auto number = [&](const char* key, std::size_t otherwise) {
      const auto value = text(key);
      if (value.empty()) return otherwise;
      std::size_t result = 0;
      const auto* end = value.data() + value.size();
      if (const auto [at, error] = std::from_chars(value.data(), end, result); error != std::errc() || at != end)
        throw InputError(
            str("the tensor ", in_quotes(name), " has ", key, ' ', in_quotes(value), " in its external data"));
      return result;
    };
    const auto location = text("location");
    if (location.empty())
      throw InputError(str("the tensor ", in_quotes(name), " is in another file, whose name is missing"));
    const auto all = external_(location);
    const auto offset = number("offset", 0), length = number("length", wanted);
    if (offset > all.size() || length > all.size() - offset) {
      throw InputError(str("the tensor ", in_quotes(name), " is said to be at ", offset, " with ", length, " bytes in ",
                           location, ", which has ", all.size()));
    }
    return all.substr(offset, length);
  }

  External external_;
};

void check_versions(FileModel& model) {
  if (model.ir_version < kLeastIr || model.ir_version > kMostIr) {
    throw InputError(str("its IR version is ", model.ir_version, "; ", kLeastIr, " to ", kMostIr,
                         " can be read (onnx 1.23 writes ", kMostIr, ")"));
  }
  const auto found = model.opsets.find("");
  if (found == model.opsets.end() && model.opsets.contains("ai.onnx.preview.training")) {
    model.opsets[""] = kMostOpset;  // it has none of those operators
    return;
  }
  if (found == model.opsets.end()) throw InputError("it does not say which version of ONNX's operators it uses");
  if (found->second < kLeastOpset || found->second > kMostOpset) {
    throw InputError(str("it uses version ", found->second, " of ONNX's operators; ", kLeastOpset, " to ", kMostOpset,
                         " can be read; export it anew with another opset_version"));
  }
}

FileModel parse(std::vector<std::uint8_t> bytes, const std::string& origin, const External& external) {
  const auto shared = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  try {
    FileParser parser(external);
    auto model = parser.model(Message(reinterpret_cast<const char*>(shared->data()), shared->size()));
    model.bytes = shared;
    check_versions(model);
    return model;
  } catch (const protozero::exception& e) {
    throw InputError(str(origin, ": is no ONNX model, or not a whole one (", e.what(), "); export it anew"));
  } catch (const InputError& e) {
    const std::string_view message = e.what();
    throw InputError(
        str(origin, ": ", message, message.find("; ") == std::string_view::npos ? "; export it anew" : ""));
  }
}

}  // namespace

const FileAttribute* FileNode::attribute(std::string_view key) const {
  const auto found = std::ranges::find(attributes, key, &FileAttribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::size_t Tensor::size() const {
  std::size_t count = 1;
  for (const auto extent : extents) count *= static_cast<std::size_t>(extent);
  return count;
}

std::span<const float> last_floats_of(const Tensor& tensor) {
  constexpr int kFloat = 1;
  constexpr std::size_t kLong = 128;  // then tag and length are three bytes or more, which nobody reads again
  if (tensor.type != kFloat || tensor.owned || tensor.bytes.size() < kLong) return {};
  auto* place = const_cast<char*>(tensor.bytes.data());
  const auto off = reinterpret_cast<std::uintptr_t>(place) % alignof(float);
  if (off != 0) {
    if (!tensor.in_message) return {};
    std::memmove(place - off, place, tensor.bytes.size());
  }
  return {reinterpret_cast<const float*>(place - off), tensor.bytes.size() / sizeof(float)};
}

void release([[maybe_unused]] const Tensor& tensor) {
#ifdef MADV_DONTNEED
  if (tensor.owned) return;
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* begin = const_cast<char*>(tensor.bytes.data());
  auto space = tensor.bytes.size();
  if (!std::align(page, page, begin, space)) return;
  (void)madvise(begin, space / page * page, MADV_DONTNEED);  // if it fails, the memory stays until the model goes
#endif
}

FileModel parse_file_model(std::vector<std::uint8_t> bytes, const std::string& origin) {
  return parse(std::move(bytes), origin, [](const std::string& location) -> std::string_view {
    throw InputError(str("its tensors are in ", location, ", which is not here"));
  });
}

FileModel read_file_model(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  std::map<std::string, std::vector<std::uint8_t>> others;
  const auto folder = fs::weakly_canonical(file.parent_path().empty() ? fs::path(".") : file.parent_path());
  const auto external = [&](const std::string& location) -> std::string_view {
    auto found = others.find(location);
    if (found == others.end()) {
      const auto path = fs::weakly_canonical(folder / location);
      const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
      if (end != folder.end()) throw InputError(str("its tensors are in ", location, ", which is not in its folder"));
      found = others.emplace(location, read_file(path, kMostBytesOfFile)).first;
    }
    return {reinterpret_cast<const char*>(found->second.data()), found->second.size()};
  };
  auto model = parse(read_file(file, kMostBytesOfFile), file.string(), external);
  model.external_data = std::move(others);
  return model;
}

}  // namespace chalk::onnx
