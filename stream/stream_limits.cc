#include "stream_limits.h"

#include <algorithm>
#include <utility>

namespace eddy {

SharedLimits share(StreamLimits limits) {
  limits.read_chunk_size =
      std::clamp<std::size_t>(limits.read_chunk_size, 1, limits.max_buffer_size / 2 + 1);
  return std::make_shared<const StreamLimits>(std::move(limits));
}

SharedLimits default_limits() {
  static const auto& standard = *new SharedLimits(share({}));
  return standard;
}

}  // namespace eddy
