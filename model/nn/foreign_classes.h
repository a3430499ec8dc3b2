#pragma once

#include <string>

#include "config/model_card.h"
#include "model/segmenter.h"

namespace wsi::nn {

/// Names and colours of `count` classes (background not counted): those of the card if it has some;
/// five without a card are PanNuke's, in its order; others are "Type 1", "Type 2", ... Throws
/// Error{Config} when the card names another number of classes.
std::vector<NucleusClass> foreign_classes(int64_t count, const std::optional<ModelCard>& card);

/// Classes of these names: PanNuke's colours for its names, one after the other's for others.
std::vector<NucleusClass> classes_named(const std::vector<std::string>& names);

/// Completes the spec of a published checkpoint with its classes and, where a model card lies
/// beside it, with what that says: resolution, classes' names and colours. The hash grows by all of
/// it.
void complete_spec(InputSpec& spec, int64_t classes, const std::string& weights);

}  // namespace wsi::nn
