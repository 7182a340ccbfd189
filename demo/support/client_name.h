// client_name: what answers and logs call the peer of a connection.
#pragma once

#include <string>

#include <eddy/stream/socket_address.h>

namespace demo {

// `127.0.0.1:40312`, `[::1]:40312`, `unix:NAME` when the peer's socket is bound, else `unix:#N`:
// the N-th nameless client of this process, so ask once for each. Any thread may.
std::string client_name(const eddy::SocketAddress& peer);

}  // namespace demo
