// Judging each epoch on data that are not trained on, and keeping the weights of the best one.
#pragma once

#include "chalkgrad/network.h"
#include "chalkgrad/train_options.h"

namespace chalk {

/// Throws InputError if the validation data are of another kind than the training data or no part of the run that is
/// gone on with, and for options that need what is not there.
void check_validation(const Network& network, const Dataset& data, const TrainOptions& options);

class Evaluator;

/// At the end of an epoch: evaluates the network, by its evaluator on the validation data, and sets what Progress and
/// the record say about them. If the epoch is the best so far, and the last one's weights are not to be kept, the
/// parameters are kept beside the others as NAME.best. Returns the loss. Throws NumericError for numbers that are not
/// finite.
double validate(Network& network, Evaluator& evaluator, const TrainOptions& options, Progress& now);

/// The variables that hold the best epoch's weights: saved with the network, as the optimizer's state is. None if there
/// is no best epoch yet or it is not kept.
std::vector<std::string> best_variables(const Network& network);

/// Gives the parameters the best epoch's numbers, which are then kept no longer.
void restore_best(Network& network);

}  // namespace chalk
