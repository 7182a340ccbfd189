#include "request_handler.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>
#include <utility>

#include "../loop/await.h"
#include "../loop/log.h"
#include "../stream/close_gracefully.h"
#include "request_bells.h"

namespace eddy {
namespace {

std::string_view without_cr(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// Rounded up, and as much as poll() can count.
int milliseconds(Duration wait) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::min<std::int64_t>(count, INT_MAX));
}

}  // namespace

Request::Request(IOStream& stream, std::string client_name, const RequestBells* bells)
    : stream_(&stream), client_name_(std::move(client_name)), bells_(bells) {}

Request::Request(std::string_view datagram, std::string client_name, Reply reply)
    : client_name_(std::move(client_name)), reply_(std::move(reply)) {
  unread_.append(datagram);
}

IOStream& Request::stream() const {
  if (!stream_) throw InvalidStateError("Request::stream: the request is a datagram");
  return *stream_;
}

// --- Reading

Future<std::string> Request::read(std::size_t most) {
  if (!unread_.empty()) co_return take_unread(most);
  co_return co_await receive(most);
}

Future<std::optional<std::string>> Request::read_line(std::size_t most) {
  for (;;) {
    std::optional<std::string> line = take_line(most);
    if (line) co_return line;
    const std::string more = co_await receive(kReadSize);
    if (more.empty()) break;
    unread_.append(more);
  }
  if (!unread_.empty()) log::info("dropped an unfinished line of ", client_name_);
  co_return std::nullopt;
}

std::optional<std::string> Request::take_line(std::size_t most) {
  const std::string_view unread = unread_.view();
  const std::size_t end = unread.find('\n', searched_);
  const std::string_view line = without_cr(unread.substr(0, end));
  if (line.size() > most)
    throw UnsatisfiableReadError("a line longer than " + std::to_string(most) + " bytes");
  searched_ = unread.size();
  if (end == std::string_view::npos) return std::nullopt;
  std::string taken(line);
  static_cast<void>(take_unread(end + 1));
  return taken;
}

std::string Request::take_unread(std::size_t most) {
  const std::size_t size = std::min(most, unread_.size());
  std::string taken(unread_.view().substr(0, size));
  unread_.consume(size);
  searched_ = 0;
  return taken;
}

Future<std::string> Request::receive(std::size_t most) {
  while (start_read(most)) {
    try {
      co_await reading_;
      break;
    } catch (const CancelledError&) {  // by drain(): see what is left
    } catch (const StreamClosedError& closed) {
      if (closed.real_error()) throw;
      break;
    }
  }
  co_return take_read();
}

std::string Request::recv(std::size_t most, Duration timeout) {
  check_may_block();
  if (!unread_.empty()) return take_unread(most);
  while (start_read(most)) {
    try {
      wait(reading_, timeout);
      break;
    } catch (const TimeoutError&) {
      reading_ = {};  // given up: it takes nothing any more
      throw;
    } catch (const CancelledError&) {  // by drain(), too
      if (bells_->closing.rung()) throw;
    } catch (const StreamClosedError& closed) {
      if (closed.real_error()) throw;
      break;
    }
  }
  return take_read();
}

// False: there is nothing to wait for.
bool Request::start_read(std::size_t most) {
  reading_ = {};
  if (!stream_ || left_to_read_ == 0) return false;
  reading_ = stream_->read_bytes(std::min(most, left_to_read_), true);
  return true;
}

// What the last read has brought; at the end, nothing.
std::string Request::take_read() {
  const Future<std::string> reading = std::exchange(reading_, {});
  if (!reading.state() || reading.exception()) return {};
  std::string bytes = reading.state()->take();
  left_to_read_ -= bytes.size();
  return bytes;
}

void Request::drain() {
  if (!stream_) return;
  left_to_read_ = std::min(left_to_read_, stream_->available() + taken_by(reading_));
  draining_ = true;
  reading_.cancel();
}

// --- Writing

Future<> Request::write(std::string_view data) {
  if (!stream_) return reply_(data);
  static_cast<void>(stream_->write(data));
  return stream_->drain();
}

void Request::send(std::string_view data, Duration timeout) {
  wait(stream_ ? stream_->write(data) : reply_(data), timeout);
}

// --- Blocking

void Request::check_may_block() const {
  if (!bells_)
    throw InvalidStateError(
        "a request that blocks would block the server's loop: serve on threads or in children");
}

TimePoint Request::deadline_after(Duration timeout) const {
  return after(stream().loop().time(), timeout);
}

// What the loop would do for the stream; nobody else is served meanwhile.
void Request::wait_for_event(TimePoint deadline) {
  const TimePoint now = stream().loop().time();
  if (now >= deadline) throw TimeoutError("timed out waiting for " + client_name_);
  if (now >= stream_->stalls_at()) return stream_->close_for_stall();
  pollfd watched[] = {{stream_->fileno(), stream_->wanted_events(), 0},
                      {bells_->closing.fd(), POLLIN, 0},
                      {draining_ ? -1 : bells_->draining.fd(), POLLIN, 0},
                      {draining_ ? -1 : bells_->signals.get(), POLLIN, 0}};
  const int longest = milliseconds(std::min(deadline, stream_->stalls_at()) - now);
  if (stream_->loop().platform().poll(watched, std::size(watched), longest) < 0) {
    if (errno == EINTR) return;
    throw std::system_error(errno, std::generic_category(), "poll");
  }
  if (watched[1].revents != 0) throw CancelledError("the server closes");
  if ((watched[2].revents | watched[3].revents) != 0) return drain();
  if (watched[0].revents != 0) stream_->serve_events(watched[0].revents);
}

}  // namespace eddy
