// eddy_macro: the benchmark's conversations as stackless coroutines.
#include <vector>

#include <eddy/loop/coroutine.h>

#include "eddy_serve.h"

#include <eddy/loop/yield.h>

namespace {

class Lines : public eddy::Coroutine<> {
 public:
  Lines(std::unique_ptr<eddy::IOStream> stream, bench::Await await)
      : stream_(std::move(stream)), await_(await) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(line_ = stream_->read_until("\n"));
      CO_AWAIT(bench::write_back(*stream_, line_.result(), await_));
    }
    CO_END;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  const bench::Await await_;
  eddy::Future<std::string> line_;
};

class Echo : public eddy::Coroutine<> {
 public:
  Echo(std::unique_ptr<eddy::IOStream> stream, bench::Await await)
      : stream_(std::move(stream)), await_(await) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(taken_ = stream_->read_into(memory_, true));
      CO_AWAIT(bench::write_back(*stream_, {memory_.data(), taken_.result()}, await_));
    }
    CO_END;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  const bench::Await await_;
  std::vector<char> memory_ = std::vector<char>(bench::kChunk);
  eddy::Future<std::size_t> taken_;
};

class Sink : public eddy::Coroutine<> {
 public:
  Sink(std::unique_ptr<eddy::IOStream> stream, bench::Await) : stream_(std::move(stream)) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_SETTLE(taken_ = stream_->read_into(memory_, true));
      if (taken_.exception()) break;  // the peer has ended its side
      count_ += taken_.result();
    }
    CO_AWAIT(stream_->write(bench::count_line(count_)));
    CO_END;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  std::vector<char> memory_ = std::vector<char>(bench::kChunk);
  eddy::Future<std::size_t> taken_;
  std::size_t count_ = 0;
};

template <class Conversation>
eddy::Future<> converse(std::unique_ptr<eddy::IOStream> stream, bench::Await await) {
  return eddy::start_coroutine<Conversation>(std::move(stream), await);
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
