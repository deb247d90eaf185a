// Networks, and whole steps of training, as ONNX: for ONNX Runtime and other engines, in any language.
#pragma once

#include <cstdint>
#include <filesystem>

#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

struct OnnxOptions {
  int opset = 17;          ///< of the standard's operators, 17 … 22; the file's IR version is the oldest that has it
  std::int64_t batch = 0;  ///< samples in a run, 1 … 2^24; 0: any number, the axis "batch"
  /// What is left of batch normalisation in prediction becomes part of the weights before it, which then have new
  /// names. Not for steps of training.
  bool fold = false;
  /// The input takes bytes, 0 … 255, which the file turns into what the network sees. Throws InputError for a network
  /// that was not trained on bytes, or that was on samples each of which is normalised by itself.
  bool bytes = false;
  /// Parameters are inputs, too, whose values in the file are used where a run gives none. Steps always have this.
  bool open = false;
};

/// Writes the network's prediction. The tensor "x" is batch × the input's shape, float32 (uint8 with `bytes`); "y", and
/// the network's other outputs by their names, are what Predictor's logits are: before a softmax that only the loss
/// would add. Parameters, running statistics and layers keep their names. The same network gives the same bytes.
/// Throws InputError for options that are out of range, for a network of more than 2 GB, and for a file that cannot be
/// written; nothing is left of it then.
void export_onnx(const Network& network, const std::filesystem::path& file, const OnnxOptions& options = {});

/// Writes one step of training, of standard operators alone: the network's training form, the loss, the gradients by
/// chalkgrad's derivative rules and the optimizer's update.
///
/// Inputs: "x"; "labels", one whole number (int64) a sample, for losses of classes, otherwise "t" of the target's
/// shape; "lr", a number; and each variable: parameters, running statistics and the optimizer's states, by their names,
/// and "step", how many steps have been taken (int64), where the optimizer asks for it. All but the samples have values
/// in the file, which hold where a run gives none: the network's parameters, states as they begin, the optimizer's lr.
/// Outputs: "loss", the mean over the batch; for labels "correct", how many samples are classified correctly; and for
/// each variable NAME.next, its value after the step, the input NAME of the next one.
///
/// Of the options, loss, optimizer, limits of gradients, l1 and groups count; the rate over time is the caller's, who
/// sets "lr", and "first_epochs.N" to 0 after N epochs where a group has so many. Noise (dropout) is drawn by the
/// engine that runs the step. Throws InputError as export_onnx() does, and for Lookahead, averages, and numbers of an
/// optimizer that change for ever, which a file cannot hold; ShapeError for a loss that does not fit the network.
void export_onnx_step(const Network& network, const std::filesystem::path& file, const TrainOptions& training,
                      const OnnxOptions& options = {});

}  // namespace chalk
