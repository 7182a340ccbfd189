// libuv_server: the benchmark's lines, echo and sink on libuv.
//
// As node does it: try to write at once, and queue only what the kernel did not take;
// meanwhile nothing is read.
#include <uv.h>

#include <array>
#include <string>
#include <string_view>

#include "../serve.h"

namespace {

std::array<char, bench::kChunk> buffer;  // one for all: on_read empties it before the next read
bench::Serve serve;

struct Connection {
  uv_tcp_t handle;
  std::string unfinished = {};
  std::size_t count = 0;
};

struct Write {
  uv_write_t request;
  std::string bytes;
};

uv_stream_t* stream_of(Connection& connection) {
  return reinterpret_cast<uv_stream_t*>(&connection.handle);
}

Connection& connection_of(const uv_stream_t* stream) {
  return *static_cast<Connection*>(stream->data);
}

void close(Connection& connection) {
  uv_close(reinterpret_cast<uv_handle_t*>(&connection.handle),
           [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
}

void on_room(uv_handle_t*, std::size_t, uv_buf_t* room) {
  *room = uv_buf_init(buffer.data(), buffer.size());
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* room);

void on_written(uv_write_t* request, int status) {
  if (status == 0 && uv_stream_get_write_queue_size(request->handle) == 0)
    uv_read_start(request->handle, on_room, on_read);
  delete static_cast<Write*>(request->data);
}

void queue(Connection& connection, std::string_view bytes) {
  auto* write = new Write{{}, std::string(bytes)};
  write->request.data = write;
  const uv_buf_t room = uv_buf_init(write->bytes.data(), static_cast<unsigned>(bytes.size()));
  uv_read_stop(stream_of(connection));
  uv_write(&write->request, stream_of(connection), &room, 1, on_written);
}

void write(Connection& connection, std::string_view bytes) {
  const uv_buf_t room =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int taken = uv_try_write(stream_of(connection), &room, 1);
  const std::size_t sent = taken < 0 ? 0 : static_cast<std::size_t>(taken);
  if (sent < bytes.size()) queue(connection, bytes.substr(sent));
}

void echo_line(Connection& connection, std::string_view line) {
  if (connection.unfinished.empty()) return write(connection, line);
  write(connection, connection.unfinished.append(line));
  connection.unfinished.clear();
}

void echo_lines(Connection& connection, std::string_view bytes) {
  std::size_t begin = 0;
  for (std::size_t end; (end = bytes.find('\n', begin) + 1) != 0; begin = end)  // npos + 1 is 0
    echo_line(connection, bytes.substr(begin, end - begin));
  connection.unfinished.append(bytes.substr(begin));
}

void end(Connection& connection) {
  if (serve == bench::Serve::sink) write(connection, std::to_string(connection.count) + "\n");
  close(connection);
}

void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* room) {
  Connection& connection = connection_of(stream);
  if (count < 0) return end(connection);
  const std::string_view bytes(room->base, static_cast<std::size_t>(count));
  if (serve == bench::Serve::sink)
    connection.count += bytes.size();
  else if (serve == bench::Serve::lines)
    echo_lines(connection, bytes);
  else if (!bytes.empty())  // empty: there is no more
    write(connection, bytes);
}

void on_connection(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* connection = new Connection{};
  uv_tcp_init(listener->loop, &connection->handle);
  connection->handle.data = connection;
  if (uv_accept(listener, stream_of(*connection)) != 0) return close(*connection);
  uv_tcp_nodelay(&connection->handle, 1);
  uv_read_start(stream_of(*connection), on_room, on_read);
}

std::uint16_t listen(uv_tcp_t& listener, std::uint16_t port) {
  sockaddr_in address;
  uv_ip4_addr("127.0.0.1", port, &address);
  uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
  if (uv_listen(reinterpret_cast<uv_stream_t*>(&listener), bench::kBacklog, on_connection) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  int size = sizeof address;
  uv_tcp_getsockname(&listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

int main(int argc, char** argv) {
  using bench::Serve;
  const auto options = bench::parse_options(argc, argv, {Serve::lines, Serve::echo, Serve::sink});
  serve = options.serve;
  uv_tcp_t listener;
  uv_tcp_init(uv_default_loop(), &listener);
  bench::announce(listen(listener, options.port));
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
