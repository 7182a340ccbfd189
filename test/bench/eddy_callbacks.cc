// eddy_callbacks: the benchmark's echo by callbacks.
//
// What is done already is used at once, within a budget, as a coroutine does by itself: a callback
// for each line of a batch would have each line wait for a turn of its own.
#include <eddy/loop/task.h>

#include "eddy_serve.h"

namespace {

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  // As many as a coroutine gets: it awaits twice for each.
  static constexpr int kLinesPerTurn = eddy::Task::kInlineResumptions / 2;

  Conversation(std::unique_ptr<eddy::IOStream> stream, bench::Await await)
      : stream_(std::move(stream)), await_(await) {}

  void read() {
    for (int lines = 0; lines < kLinesPerTurn; ++lines) {
      eddy::Future<std::string> line = stream_->read_until("\n");
      if (!line.done()) return when_done(std::move(line), &Conversation::got_line);
      if (!answer(line)) return;
    }
    stream_->loop().add_callback([self = shared_from_this()] { self->read(); });
  }

 private:
  template <class T>
  void when_done(eddy::Future<T> future, void (Conversation::*next)(eddy::Future<T>&)) {
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
      when_done(std::move(done), &Conversation::written);
    else if (!done.exception())
      return true;
    return false;
  }

  const std::unique_ptr<eddy::IOStream> stream_;
  const bench::Await await_;
};

eddy::Future<> converse(std::unique_ptr<eddy::IOStream> stream, bench::Await await) {
  std::make_shared<Conversation>(std::move(stream), await)->read();
  return {};  // the callbacks keep the conversation, and the loop keeps them
}

}  // namespace

int main(int argc, char** argv) { return bench::serve(argc, argv, converse); }
