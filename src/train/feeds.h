// Data sets as a program's inputs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chalkgrad/data.h"
#include "chalkgrad/network.h"

namespace chalk {

/// Of data that are not in memory, they are read when the program needs them, by its threads.
Feed sample_feed(const Dataset& data);
Feed target_feed(const Dataset& data);

/// The noise of a training graph, by name, as a program with this seed draws it for rows 0 … batch − 1.
std::map<std::string, std::vector<float>> drawn_noise(const Graph& graph, std::uint64_t seed, std::size_t batch);

/// Shape of a sample's target: {classes} or Dataset::target.
Shape target_shape(const Dataset& data);

/// The loss that the network was trained with, or that its configuration names; nothing if there is none. `output`: of
/// another output than the first one, whose loss may be its own.
std::optional<Loss> chosen_loss(const Network& network, std::string_view output = "y");
/// Whether each sample's targets are at least 0 and sum to 1, up to rounding.
bool are_distributions(const Dataset& data);
/// The loss these data have: the network's natural one (train.h), or squared error if that needs classes and the data
/// have neither labels nor distributions over classes.
Loss loss_for(const Network& network, const Dataset& data);
/// The network's outputs, whose own losses are changed for these data in the same way.
std::vector<NetworkOutput> outputs_for(const Network& network, const Dataset& data);

/// Throws ShapeError unless the samples have the shape of the network's input and its outputs have an element for each
/// class, InputError if there are no samples.
void check_fits(const Network& network, const Dataset& data);

/// Throws InputError for targets that the loss cannot take: values where it needs classes, labels of places that are no
/// class, or numbers beyond its range. What an output of another shape means is for the loss to say.
void check_targets(const Dataset& data, const Loss& loss, const Shape& output);

}  // namespace chalk
