// libevent_server: the benchmark's lines, echo and sink on libevent's bufferevents.
//
// What is added to the output while the callback runs leaves together. Above a high-water mark of
// output nothing is read until it is gone.
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>

#include <cstdlib>
#include <string>

#include "../serve.h"

namespace {

constexpr std::size_t kHighWater = 65536;

struct Sink {
  std::size_t count = 0;
};

void add_line(evbuffer* output, char* line, std::size_t size) {
  evbuffer_add(output, line, size);
  evbuffer_add(output, "\n", 1);
  std::free(line);
}

void pause_if_full(bufferevent* connection) {
  if (evbuffer_get_length(bufferevent_get_output(connection)) > kHighWater)
    bufferevent_disable(connection, EV_READ);
}

void echo_lines(bufferevent* connection, void*) {
  evbuffer* const input = bufferevent_get_input(connection);
  evbuffer* const output = bufferevent_get_output(connection);
  std::size_t size = 0;
  while (char* line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF)) add_line(output, line, size);
  pause_if_full(connection);
}

void echo(bufferevent* connection, void*) {
  bufferevent_read_buffer(connection, bufferevent_get_output(connection));  // moves, copies nothing
  pause_if_full(connection);
}

void read_again(bufferevent* connection, void*) { bufferevent_enable(connection, EV_READ); }

void end(bufferevent* connection, short, void*) { bufferevent_free(connection); }

void drop(bufferevent* connection, void* context) {
  evbuffer* const input = bufferevent_get_input(connection);
  const std::size_t size = evbuffer_get_length(input);
  static_cast<Sink*>(context)->count += size;
  evbuffer_drain(input, size);
}

void written(bufferevent* connection, void*) { bufferevent_free(connection); }

void tell_count(bufferevent* connection, short what, void* context) {
  Sink* const sink = static_cast<Sink*>(context);
  const std::string line = std::to_string(sink->count) + "\n";
  delete sink;
  if (!(what & BEV_EVENT_EOF)) return bufferevent_free(connection);
  bufferevent_setcb(connection, nullptr, written, end, nullptr);
  bufferevent_write(connection, line.data(), line.size());
}

void on_connection(evconnlistener* listener, evutil_socket_t fd, sockaddr*, int, void* context) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bufferevent* const connection =
      bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  const auto serve = *static_cast<const bench::Serve*>(context);
  if (serve == bench::Serve::sink)
    bufferevent_setcb(connection, drop, nullptr, tell_count, new Sink);
  else
    bufferevent_setcb(connection, serve == bench::Serve::echo ? echo : echo_lines, read_again, end,
                      nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

evconnlistener* listen(event_base* base, bench::Options& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  evconnlistener* const listener = evconnlistener_new_bind(
      base, on_connection, &options.serve, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
      bench::kBacklog, reinterpret_cast<sockaddr*>(&address), sizeof address);
  if (!listener) throw std::runtime_error("cannot listen on 127.0.0.1");
  socklen_t size = sizeof address;
  ::getsockname(evconnlistener_get_fd(listener), reinterpret_cast<sockaddr*>(&address), &size);
  bench::announce(ntohs(address.sin_port));
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  using bench::Serve;
  bench::Options options =
      bench::parse_options(argc, argv, {Serve::lines, Serve::echo, Serve::sink});
  event_base* const base = event_base_new();
  evconnlistener* const listener = listen(base, options);
  const int result = event_base_dispatch(base);
  evconnlistener_free(listener);
  event_base_free(base);
  return result;
}
