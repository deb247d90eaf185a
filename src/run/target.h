// Which instruction set kernels run on.
#pragma once

namespace chalk {

/// Chooses the best instruction set, or the one named by CHALKGRAD_TARGET; the first call decides. Throws InputError.
void choose_target();

}  // namespace chalk
