// OpenNN on one problem: opennn_worker VERSION train|predict BATCH THREADS SHAPE LAYER… (784 or 1x28x28; 512n, relu).
// Says and answers what bench/rival_worker.py does; bench/rivals.py compiles it with OpenNN's sources and starts it.
//
// Written against OpenNN's master of 2026-07-07 (13d826be80). A step is what its StochasticGradientDescent::train does
// with a batch once the samples are copied into it. A dense layer's forward pass runs on one thread in OpenNN, so each
// thread here predicts a part of the batch, into memory that is already there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "convolutional_layer.h"
#include "cross_entropy_error.h"
#include "dataset.h"
#include "dense_layer.h"
#include "flatten_layer.h"
#include "neural_network.h"
#include "pooling_layer.h"
#include "stochastic_gradient_descent.h"

namespace {

using opennn::Shape;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// "1x28x28" is a map of 28 x 28 with its channels last, as OpenNN has them.
Shape shape_of(const std::string& text) {
  Index channels = 0, rows = 0, columns = 0;
  if (std::sscanf(text.c_str(), "%tdx%tdx%td", &channels, &rows, &columns) == 3) return {rows, columns, channels};
  return {channels};
}

/// The activation that the word names; nullptr if it names none.
const char* activation_of(const std::string& word) {
  return word == "relu"      ? "RectifiedLinear"
         : word == "sigmoid" ? "Sigmoid"
         : word == "tanh"    ? "HyperbolicTangent"
                             : nullptr;
}

/// Adds convolutions (20c5, 64c3z), mp2 and dense layers (512n). An activation is part of the layer before it; the last
/// layer's is softmax in training, which is what OpenNN's cross entropy expects.
void add_layers(opennn::NeuralNetwork& network, Shape shape, const std::vector<std::string>& words, bool training) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    Index number = 0, kernel = 0;
    char kind = 0, padding = 0;
    std::sscanf(word.c_str(), "%td%c%td%c", &number, &kind, &kernel, &padding);
    const char* named = i + 1 < words.size() ? activation_of(words[i + 1]) : training ? "Softmax" : nullptr;
    const std::string activation = named ? named : "Linear";
    if (word == "mp2") {
      network.add_layer(std::make_unique<opennn::Pooling>(shape, Shape{2, 2}, Shape{2, 2}, Shape{0, 0}, "MaxPooling"));
    } else if (kind == 'c') {
      const Shape kernels{kernel, kernel, shape[2], number};
      const char* size = padding == 'z' ? "Same" : "Valid";
      network.add_layer(std::make_unique<opennn::Convolutional>(shape, kernels, activation, Shape{1, 1}, size));
    } else if (kind == 'n') {
      if (shape.size() > 1) {
        network.add_layer(std::make_unique<opennn::Flatten<4>>(shape));
        shape = network.get_output_shape();
      }
      network.add_layer(std::make_unique<opennn::Dense<2>>(shape, Shape{number}, activation));
    } else if (!activation_of(word)) {
      throw std::runtime_error("this worker does not know the layer \"" + word + "\"");
    }
    shape = network.get_output_shape();
  }
  network.compile();
  network.set_parameters_glorot();
}

/// The median of turns of 50 ms.
double samples_per_second(const std::function<void()>& step, Index batch, double length) {
  std::vector<double> speeds;
  for (const double end = seconds() + length; speeds.empty() || seconds() < end;) {
    Index steps = 0;
    const double start = seconds();
    for (; steps == 0 || seconds() - start < 0.05; ++steps) step();
    speeds.push_back(static_cast<double>(steps * batch) / (seconds() - start));
  }
  std::sort(speeds.begin(), speeds.end());
  return (speeds[(speeds.size() - 1) / 2] + speeds[speeds.size() / 2]) / 2;
}

/// In bytes, as the system says it of this process.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return 1024 * std::atof(line.c_str() + 6);
  }
  return 0;
}

/// Random samples and classes.
opennn::Batch random_batch(const opennn::NeuralNetwork& network, Index size, std::mt19937& random) {
  opennn::Batch batch;
  batch.samples_number = size;
  batch.input_shape = Shape{size}.append(network.get_input_shape());
  batch.target_shape = Shape{size}.append(network.get_output_shape());
  std::normal_distribution<float> normal;
  batch.input_vector = VectorR::NullaryExpr(batch.input_shape.count(), [&] { return normal(random); });
  batch.target_vector = VectorR::Zero(batch.target_shape.count());
  const Index classes = network.get_outputs_number();
  for (Index i = 0; i < size; ++i) batch.target_vector[i * classes + static_cast<Index>(random() % classes)] = 1;
  return batch;
}

/// What a thread predicts.
struct Part {
  opennn::Batch batch;
  opennn::ForwardPropagation forward;
};

void serve(const std::string& version, bool training, Index batch_size, int threads, const std::string& shape,
           const std::vector<std::string>& words) {
  opennn::Device::instance().set_threads_number(training ? threads : 1);
  opennn::NeuralNetwork network;
  add_layers(network, shape_of(shape), words, training);

  std::mt19937 random(1);
  std::vector<Part> parts;
  const Index count = training ? 1 : std::min<Index>(threads, batch_size);
  for (Index i = 0; i < count; ++i) {
    const Index size = batch_size * (i + 1) / count - batch_size * i / count;
    parts.push_back({random_batch(network, size, random), {size, &network}});
  }
  opennn::CrossEntropyError2d loss(&network);
  loss.set_regularization_method("None");
  opennn::StochasticGradientDescent optimizer(&loss);
  optimizer.set_momentum(0.9f);
  opennn::StochasticGradientDescentData state(&optimizer);
  opennn::BackPropagation backward;
  if (training) backward.set(batch_size, &loss);

  const auto train = [&] {
    network.forward_propagate(parts[0].batch.get_inputs(), parts[0].forward, true);
    loss.back_propagate(parts[0].batch, parts[0].forward, backward);
    optimizer.update_parameters(backward, state, 1e-3f);
  };
  const auto predict = [&] {
#pragma omp parallel for num_threads(count)
    for (Index i = 0; i < count; ++i) network.forward_propagate(parts[i].batch.get_inputs(), parts[i].forward, false);
  };
  const auto step = [&] { training ? train() : predict(); };
  for (int i = 0; i < 3; ++i) step();
  std::cout << std::fixed << "{\"ready\": \"" << version << "\"}" << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const bool memory = line == "memory";
    std::cout << (memory ? peak_memory() : samples_per_second(step, batch_size, std::atof(line.c_str()))) << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) return 2;
  try {
    serve(argv[1], std::string(argv[2]) == "train", std::atoll(argv[3]), std::atoi(argv[4]), argv[5],
          {argv + 6, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
