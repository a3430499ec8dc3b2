#include "config/version.h"

namespace wsi {
const char* program_version() { return "0.1.0"; }
}  // namespace wsi
