#include "request_datagrams.h"

#include <optional>
#include <utility>

#include "../loop/log.h"

namespace eddy {

Future<> RequestDatagrams::handle_datagram(Datagram datagram, DatagramSocket& socket) {
  std::optional<AcceptedRequest> accepted = server_.admit(UniqueFd(), datagram.from);
  if (!accepted) return {};
  if (datagram.truncated) {
    log::info("dropped, a datagram longer than max_datagram_size: ", accepted->client_name);
    return {};
  }
  Request::Reply reply = [&socket, to = datagram.from](std::string_view answer) {
    return socket.send_to(answer, to);
  };
  return runner_.run(std::move(*accepted), std::move(datagram.bytes), std::move(reply));
}

}  // namespace eddy
