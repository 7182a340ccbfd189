#include "close_gracefully.h"

#include "../loop/await.h"
#include "../loop/gen.h"

namespace eddy {
namespace {

Future<> end_and_read_away(BaseIOStream& stream) {
  co_await stream.shutdown_write();
  for (;;) co_await stream.read_bytes(stream.limits().read_chunk_size, true);
}

}  // namespace

Future<> close_gracefully(BaseIOStream& stream, Duration patience) {
  try {
    co_await with_timeout(patience, end_and_read_away(stream));
  } catch (const StreamClosedError&) {  // the peer's end, as a rule
  } catch (const TimeoutError&) {
  } catch (const AlreadyReadingError&) {  // then nothing can be read away
  }
  stream.close();
}

}  // namespace eddy
