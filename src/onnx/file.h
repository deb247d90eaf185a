// An ONNX file as it is read: messages of onnx.proto (onnx 1.23) with the fields that decide what a network is. Nothing
// is allocated beyond what the file itself holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chalk::onnx {

/// A tensor's numbers, in the file or in one beside it.
struct Tensor {
  std::string name;
  int type = 0;  ///< TensorProto.DataType
  std::vector<std::int64_t> extents;
  std::string_view bytes;                      ///< little-endian, row-major; exactly as many as type and extents say
  std::shared_ptr<const std::string> owned{};  ///< keeps the bytes, if the file held them otherwise
  bool in_message = false;                     ///< they lie behind their own field's tag and length

  std::size_t size() const;  ///< how many elements
};

struct FileGraph;

struct FileAttribute {
  std::string name;
  int type = 0;             ///< AttributeProto.AttributeType
  std::string refers_to{};  ///< in a function: the attribute of the call whose value it has
  float real = 0;
  std::int64_t whole = 0;
  std::string text{};
  std::vector<float> reals{};
  std::vector<std::int64_t> wholes{};
  std::vector<std::string> texts{};
  std::optional<Tensor> tensor{};
  std::shared_ptr<FileGraph> graph{};
};

struct FileNode {
  std::string op, domain, name;
  std::vector<std::string> inputs, outputs;  ///< "": left out
  std::vector<FileAttribute> attributes;

  const FileAttribute* attribute(std::string_view key) const;
};

/// A tensor that goes in or out. An extent that is not known is −1.
struct FilePort {
  std::string name;
  int type = 0;
  bool has_shape = false;
  std::vector<std::int64_t> extents;
};

struct FileGraph {
  std::string name;
  std::vector<FileNode> nodes;
  std::vector<Tensor> initializers;
  std::vector<FilePort> inputs, outputs;
};

struct FileFunction {
  std::string name, domain;
  std::vector<std::string> inputs, outputs;
  std::vector<FileNode> nodes;
  std::vector<FileAttribute> defaults;
};

struct FileModel {
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;  ///< versions by domain; the standard's own is ""
  FileGraph graph;
  std::vector<FileFunction> functions;
  std::map<std::string, std::string> metadata;
  std::shared_ptr<const std::vector<std::uint8_t>> bytes;          ///< what tensors refer to
  std::map<std::string, std::vector<std::uint8_t>> external_data;  ///< likewise, by the name in the file

  std::int64_t opset() const { return opsets.at(""); }
};

/// Reads a file and those beside it that hold its tensors, which must be in its folder or below. Throws InputError
/// naming the file and what is wrong: bytes that are no such message, lengths that do not fit, versions that are not
/// known.
FileModel read_file_model(const std::filesystem::path& file);
/// The same of bytes; tensors in other files are an error.
FileModel parse_file_model(std::vector<std::uint8_t> bytes, const std::string& origin);

/// The floats of a tensor whose bytes nobody needs any more, where they lie, moved to an aligned place; none if that
/// cannot be.
std::span<const float> last_floats_of(const Tensor& tensor);
/// Gives the memory of a tensor's bytes back to the system, as far as it is made of whole pages. They are lost.
void release(const Tensor& tensor);

/// "int8", "float8e4m3fn", …; "type 99" of a number that is none.
std::string type_name(int type);
bool is_real(int type);   ///< float, float16, bfloat16, double, the float8 types
bool is_whole(int type);  ///< the integers and bool

/// The numbers as float: every type of is_real(), and integers as they are. Throws InputError for other types.
std::vector<float> reals_of(const Tensor& tensor);
/// The numbers of a tensor of is_whole(); uint64 beyond int64 is an error.
std::vector<std::int64_t> wholes_of(const Tensor& tensor);

}  // namespace chalk::onnx
