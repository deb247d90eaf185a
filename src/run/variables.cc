#include <algorithm>
#include <span>
#include <vector>

#include "chalkgrad/error.h"
#include "chalkgrad/program.h"
#include "src/base/aligned.h"
#include "src/base/random.h"
#include "src/base/text.h"
#include "src/ir/checks.h"
#include "src/ir/leaves.h"
#include "src/run/initialise.h"

namespace chalk {

void Tensor::Free::operator()(float* p) const { free_zeroed(p); }

Tensor::Tensor(Shape shape) : shape_(std::move(shape)) {
  check_shape(shape_, "tensor");
  const auto count = AlignedFloats::round(static_cast<std::size_t>(elements(shape_)));
  data_.reset(static_cast<float*>(allocate_zeroed(count * sizeof(float))));
}

Tensor::Tensor(const Tensor& other) : Tensor(other.shape_) { std::ranges::copy(other.values(), data_.get()); }

Tensor& Tensor::operator=(const Tensor& other) {
  if (other.shape_ != shape_)
    throw InputError(
        str("a tensor of ", to_string(shape_), " cannot take the values of one of ", to_string(other.shape_)));
  assign(other.values());
  return *this;
}

std::span<float> Tensor::values() {
  history_->handed_out.store(true, std::memory_order_release);
  return {data_.get(), static_cast<std::size_t>(elements(shape_))};
}

void Tensor::assign(std::span<const float> values) {
  const auto count = static_cast<std::size_t>(elements(shape_));
  if (values.size() != count)
    throw InputError(str(values.size(), " values for a tensor of ", to_string(shape_), "; it takes ", count));
  std::copy(values.begin(), values.end(), data_.get());
  history_->changes.fetch_add(1, std::memory_order_acq_rel);
}

void Tensor::fill(float value) {
  std::fill_n(data_.get(), elements(shape_), value);
  history_->changes.fetch_add(1, std::memory_order_acq_rel);
}

Variables::Variables(const Graph& graph, std::uint64_t seed) { add(graph, seed); }

Variables& Variables::operator=(const Variables& other) {
  std::erase_if(tensors_, [&](const auto& mine) {
    const auto found = other.tensors_.find(mine.first);
    return found == other.tensors_.end() || found->second.shape() != mine.second.shape();
  });
  for (const auto& [name, tensor] : other.tensors_) {
    const auto [mine, is_new] = tensors_.try_emplace(name, tensor);
    if (!is_new) mine->second = tensor;
  }
  return *this;
}

void Variables::add(const Graph& graph, std::uint64_t seed) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op != &op_parameter || tensors_.contains(node.name)) continue;
    const auto& a = node.attributes.as<ParameterAttributes>();
    const auto& tensor = tensors_.emplace(node.name, Tensor(a.shape)).first->second;
    if (a.init == Init{}) continue;  // zeros, which it is made of; untouched, they take no memory
    Random random(seed, hash_name(node.name));
    initialise(a.init, a.shape, random, {tensor.data_.get(), tensor.values().size()});
  }
}

Tensor& Variables::at(std::string_view name) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw InputError(str("there is no parameter named \"", name, "\""));
  return found->second;
}
const Tensor& Variables::at(std::string_view name) const { return const_cast<Variables&>(*this).at(name); }

}  // namespace chalk
