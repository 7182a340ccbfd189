// eddy_callbacks: the benchmark's conversations by callbacks.
//
// What is done already is used at once, within a budget, as a coroutine does by itself: a callback
// for each line of a batch would have each line wait for a turn of its own.
#include <vector>

#include <eddy/loop/task.h>

#include "eddy_serve.h"

namespace {

// As many as a coroutine gets: it awaits twice for each line.
constexpr int kReadsPerTurn = eddy::Task::kInlineResumptions / 2;

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  Echo(std::unique_ptr<eddy::IOStream> stream, bench::Await await)
      : stream_(std::move(stream)), await_(await) {}

  void read() {
    for (int lines = 0; lines < kReadsPerTurn; ++lines) {
      eddy::Future<std::string> line = stream_->read_until("\n");
      if (!line.done()) return when_done(std::move(line), &Echo::got_line);
      if (!answer(line)) return;
    }
    stream_->loop().add_callback([self = shared_from_this()] { self->read(); });
  }

 private:
  template <class T>
  void when_done(eddy::Future<T> future, void (Echo::*next)(eddy::Future<T>&)) {
    stream_->loop().add_future(
        std::move(future),
        [self = shared_from_this(), next](eddy::Future<T>& done) { (self.get()->*next)(done); });
  }
  void got_line(eddy::Future<std::string>& line) {
    if (answer(line)) read();
  }
  void written(eddy::Future<>& done) {
    if (!done.exception()) read();
  }

  // True: go on at once. False: written() goes on, or nobody does, for the peer has closed.
  bool answer(eddy::Future<std::string>& line) {
    if (line.exception()) return false;
    eddy::Future<> done = bench::write_line(*stream_, line.result(), await_);
    if (!done.done())
      when_done(std::move(done), &Echo::written);
    else if (!done.exception())
      return true;
    return false;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  const bench::Await await_;
};

class Sink : public std::enable_shared_from_this<Sink> {
 public:
  Sink(std::unique_ptr<eddy::IOStream> stream, bench::Await) : stream_(std::move(stream)) {}

  void read() {
    for (int reads = 0; reads < kReadsPerTurn; ++reads) {
      eddy::Future<std::size_t> taken = stream_->read_into(memory_, true);
      if (!taken.done()) return when_done(std::move(taken));
      if (!took(taken)) return;
    }
    stream_->loop().add_callback([self = shared_from_this()] { self->read(); });
  }

 private:
  void when_done(eddy::Future<std::size_t> taken) {
    stream_->loop().add_future(std::move(taken),
                               [self = shared_from_this()](eddy::Future<std::size_t>& done) {
                                 if (self->took(done)) self->read();
                               });
  }

  bool took(eddy::Future<std::size_t>& taken) {
    if (taken.exception()) return tell_count();  // the peer has ended its side
    count_ += taken.result();
    return true;
  }
  bool tell_count() {
    stream_->loop().add_future(stream_->write(bench::count_line(count_)),
                               [self = shared_from_this()](eddy::Future<>&) {});
    return false;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  std::vector<char> memory_ = std::vector<char>(bench::kChunk);
  std::size_t count_ = 0;
};

template <class Conversation>
eddy::Future<> converse(std::unique_ptr<eddy::IOStream> stream, bench::Await await) {
  std::make_shared<Conversation>(std::move(stream), await)->read();
  return {};  // the callbacks keep the conversation, and the loop keeps them
}

}  // namespace

int main(int argc, char** argv) {
  using bench::Serve;
  const auto options = bench::parse_options(argc, argv, {Serve::lines, Serve::sink});
  return bench::serve(options, options.serve == Serve::sink ? converse<Sink> : converse<Echo>);
}
