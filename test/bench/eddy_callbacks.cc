// eddy_callbacks: the benchmark's conversations by callbacks.
//
// What is done already is used at once, within a budget, as a coroutine does by itself: a callback
// for each line of a batch would have each line wait for a turn of its own.
#include <vector>

#include <eddy/loop/task.h>

#include "eddy_serve.h"

namespace {

// As many as a coroutine gets: it awaits twice for each read.
constexpr int kReadsPerTurn = eddy::Task::kInlineResumptions / 2;

using Stream = std::unique_ptr<eddy::IOStream>;

// Reads and answers until the peer ends. T is what a read gives: a line, or a count of bytes.
template <class T>
class Conversation : public std::enable_shared_from_this<Conversation<T>> {
 public:
  Conversation(Stream stream, bench::Await await) : stream_(std::move(stream)), await_(await) {}
  virtual ~Conversation() = default;

  void go_on() {
    for (int reads = 0; reads < kReadsPerTurn; ++reads) {
      eddy::Future<T> taken = read(*stream_);
      if (!taken.done()) return when_done(std::move(taken), &Conversation::took);
      if (!answered(taken)) return;
    }
    stream_->loop().add_callback([self = this->shared_from_this()] { self->go_on(); });
  }

 protected:
  eddy::Future<> write_back(std::string_view bytes) {
    return bench::write_back(*stream_, bytes, await_);
  }

 private:
  virtual eddy::Future<T> read(eddy::IOStream& stream) = 0;
  virtual eddy::Future<> answer(const T& taken) = 0;
  virtual eddy::Future<> ended(eddy::IOStream&) { return {}; }  // the peer has ended its side

  template <class U>
  void when_done(eddy::Future<U> future, void (Conversation::*next)(eddy::Future<U>&)) {
    stream_->loop().add_future(std::move(future),
                               [self = this->shared_from_this(), next](eddy::Future<U>& done) {
                                 (self.get()->*next)(done);
                               });
  }
  void took(eddy::Future<T>& taken) {
    if (answered(taken)) go_on();
  }
  void written(eddy::Future<>& done) {
    if (!done.exception()) go_on();
  }
  void over(eddy::Future<>&) {}

  // True: go on at once. False: written() goes on, or nobody does, for the peer has closed.
  bool answered(eddy::Future<T>& taken) {
    if (taken.exception()) {
      when_done(ended(*stream_), &Conversation::over);
      return false;
    }
    eddy::Future<> done = answer(taken.result());
    if (!done.done())
      when_done(std::move(done), &Conversation::written);
    else if (!done.exception())
      return true;
    return false;
  }

  const Stream stream_;
  const bench::Await await_;
};

class Lines : public Conversation<std::string> {
 public:
  using Conversation::Conversation;

 private:
  eddy::Future<std::string> read(eddy::IOStream& stream) override {
    return stream.read_until("\n");
  }
  eddy::Future<> answer(const std::string& line) override { return write_back(line); }
};

class Chunks : public Conversation<std::size_t> {
 public:
  using Conversation::Conversation;

 protected:
  std::vector<char> memory_ = std::vector<char>(bench::kChunk);

 private:
  eddy::Future<std::size_t> read(eddy::IOStream& stream) override {
    return stream.read_into(memory_, true);
  }
};

class Echo : public Chunks {
 public:
  using Chunks::Chunks;

 private:
  eddy::Future<> answer(const std::size_t& count) override {
    return write_back({memory_.data(), count});
  }
};

class Sink : public Chunks {
 public:
  using Chunks::Chunks;

 private:
  eddy::Future<> answer(const std::size_t& count) override {
    count_ += count;
    return {};
  }
  eddy::Future<> ended(eddy::IOStream& stream) override {
    return stream.write(bench::count_line(count_));
  }

  std::size_t count_ = 0;
};

template <class Style>
eddy::Future<> converse(Stream stream, bench::Await await) {
  std::make_shared<Style>(std::move(stream), await)->go_on();
  return {};  // the callbacks keep the conversation, and the loop keeps them
}

bench::Converse conversation(bench::Serve serve) {
  if (serve == bench::Serve::echo) return converse<Echo>;
  if (serve == bench::Serve::sink) return converse<Sink>;
  return converse<Lines>;
}

}  // namespace

int main(int argc, char** argv) {
  using bench::Serve;
  const auto options = bench::parse_options(argc, argv, {Serve::lines, Serve::echo, Serve::sink});
  return bench::serve(options, conversation(options.serve));
}
