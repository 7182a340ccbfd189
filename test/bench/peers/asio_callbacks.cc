// asio_callbacks: the benchmark's lines, echo and sink on asio, by callbacks.
#include "asio_serve.h"

namespace {

using bench::tcp;

class Lines : public std::enable_shared_from_this<Lines> {
 public:
  explicit Lines(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(input_, bench::kLongestInput), '\n',
                           [self = shared_from_this()](std::error_code error, std::size_t size) {
                             if (!error) self->answer(size);
                           });
  }

 private:
  void answer(std::size_t size) {
    asio::async_write(socket_, asio::buffer(input_.data(), size),
                      [self = shared_from_this()](std::error_code error, std::size_t count) {
                        if (error) return;
                        self->input_.erase(0, count);
                        self->read();
                      });
  }

  tcp::socket socket_;
  std::string input_;
};

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  explicit Echo(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](std::error_code error, std::size_t count) {
                              if (!error) self->answer(count);
                            });
  }

 private:
  void answer(std::size_t count) {
    asio::async_write(socket_, asio::buffer(buffer_, count),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  tcp::socket socket_;
  std::array<char, bench::kChunk> buffer_;
};

class Sink : public std::enable_shared_from_this<Sink> {
 public:
  explicit Sink(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](std::error_code error, std::size_t count) {
                              if (error) return self->tell_count();
                              self->count_ += count;
                              self->read();
                            });
  }

 private:
  void tell_count() {
    answer_ = std::to_string(count_) + "\n";
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](std::error_code, std::size_t) {});
  }

  tcp::socket socket_;
  std::array<char, bench::kChunk> buffer_;
  std::size_t count_ = 0;
  std::string answer_;
};

template <class Conversation>
void converse(tcp::socket socket) {
  std::make_shared<Conversation>(std::move(socket))->read();
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve(argc, argv, {converse<Lines>, converse<Echo>, converse<Sink>});
}
