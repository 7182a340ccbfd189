// eddy_macro: the benchmark's echo as a stackless coroutine.
#include <eddy/loop/coroutine.h>

#include "eddy_serve.h"

#include <eddy/loop/yield.h>

namespace {

class Conversation : public eddy::Coroutine<> {
 public:
  Conversation(std::unique_ptr<eddy::IOStream> stream, bench::Await await)
      : stream_(std::move(stream)), await_(await) {}

 private:
  void body() override {
    CO_BEGIN;
    for (;;) {
      CO_AWAIT(line_ = stream_->read_until("\n"));
      CO_AWAIT(bench::write_line(*stream_, line_.result(), await_));
    }
    CO_END;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  const bench::Await await_;
  eddy::Future<std::string> line_;
};

eddy::Future<> converse(std::unique_ptr<eddy::IOStream> stream, bench::Await await) {
  return eddy::start<Conversation>(std::move(stream), await);
}

}  // namespace

int main(int argc, char** argv) { return bench::serve(argc, argv, converse); }
