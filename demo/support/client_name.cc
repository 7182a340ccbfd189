#include "client_name.h"

#include <atomic>
#include <cstdint>

namespace demo {

std::string client_name(const eddy::SocketAddress& peer) {
  static std::atomic<std::uint64_t> nameless = 0;
  if (peer == eddy::SocketAddress()) return "unix:#" + std::to_string(++nameless);
  return peer.to_string();
}

}  // namespace demo
