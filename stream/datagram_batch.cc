#include "datagram_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace eddy {

DatagramBatch& DatagramBatch::of_this_thread() {
  static thread_local DatagramBatch batch;
  return batch;
}

int DatagramBatch::receive(Platform& platform, int fd, std::size_t longest) {
  lay_out(longest);
  int count = 0;
  do {
    count = platform.recvmmsg(fd, headers_, static_cast<unsigned int>(asked_for_));
  } while (count < 0 && errno == EINTR);
  return count;
}

void DatagramBatch::lay_out(std::size_t longest) {
  const std::size_t needed = std::max(kBytes, longest);
  if (size_ < needed) {
    memory_ = std::make_unique_for_overwrite<char[]>(needed);  // pages nobody uses cost nothing
    size_ = needed;
  }
  asked_for_ = std::clamp<std::size_t>(kBytes / std::max<std::size_t>(longest, 1), 1, kDatagrams);
  for (std::size_t at = 0; at < asked_for_; ++at) {
    Message& message = messages_[at];
    message.place = {memory_.get() + at * longest, longest};
    msghdr& header = headers_[at].msg_hdr;
    header = {};
    header.msg_name = &message.from;
    header.msg_namelen = sizeof message.from;
    header.msg_iov = &message.place;
    header.msg_iovlen = 1;
    header.msg_control = message.control;
    header.msg_controllen = sizeof message.control;
  }
}

Datagram DatagramBatch::datagram(int index) const {
  const mmsghdr& received = headers_[index];
  const Message& message = messages_[index];
  const auto* from = reinterpret_cast<const sockaddr*>(&message.from);
  return {.bytes = {static_cast<const char*>(message.place.iov_base), received.msg_len},
          .from = SocketAddress::from(from, received.msg_hdr.msg_namelen),
          .truncated = (received.msg_hdr.msg_flags & MSG_TRUNC) != 0};
}

std::optional<std::uint32_t> DatagramBatch::drops_before(int index) const {
  const msghdr& header = headers_[index].msg_hdr;
  const cmsghdr* control = CMSG_FIRSTHDR(&header);
  if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_RXQ_OVFL)
    return std::nullopt;
  std::uint32_t count = 0;
  std::memcpy(&count, CMSG_DATA(control), sizeof count);
  return count;
}

}  // namespace eddy
