// eddy_co_await: the benchmark's echo as a C++20 coroutine.
#include <eddy/loop/await.h>

#include "eddy_serve.h"

namespace {

eddy::Future<> converse(std::unique_ptr<eddy::IOStream> stream, bench::Await await) {
  for (;;) {
    const std::string line = co_await stream->read_until("\n");
    co_await bench::write_line(*stream, line, await);
  }
}

}  // namespace

int main(int argc, char** argv) { return bench::serve(argc, argv, converse); }
