// The words of a stackless coroutine. Included last, and only by a .cc: macros know no namespace.
//
//   void EchoSession::body() {
//     CO_BEGIN;
//     for (;;) {
//       CO_AWAIT(line_ = stream_->read_until("\n"));
//       CO_AWAIT(stream_->write(line_.result()));
//     }
//     CO_END;
//   }
//
// CO_AWAIT(future)   goes on when it is done; its failure is thrown, which ends the coroutine: a
//                    switch cannot lead back into a try block
// CO_SETTLE(future)  goes on when it is done, whatever came of it: ask the Future
// CO_RETURN(value)   ends with a result; CO_RETURN() where there is none
//
// One to a line: the line's number is the state. No variable with an initialiser may stand before
// one in the same block: the compiler says so ("jump to case label").
#pragma once

#define CO_BEGIN               \
  switch (Coroutine::state_) { \
    case 0:

// clang-format off: it would set `case` beside its statement
#define EDDY_CO_WAIT(on_failure, ...)                                               \
  do {                                                                              \
    Coroutine::state_ = __LINE__;                                                   \
    if (Coroutine::suspends<Coroutine::OnFailure::on_failure>(__VA_ARGS__)) return; \
    if (false) {                                                                    \
      case __LINE__: Coroutine::resumed<Coroutine::OnFailure::on_failure>();        \
    }                                                                               \
  } while (false)
// clang-format on

#define CO_AWAIT(...) EDDY_CO_WAIT(fail, __VA_ARGS__)
#define CO_SETTLE(...) EDDY_CO_WAIT(go_on, __VA_ARGS__)

#define CO_RETURN(...)              \
  do {                              \
    Coroutine::finish(__VA_ARGS__); \
    return;                         \
  } while (false)

#define CO_END \
  }            \
  Coroutine::fall_off_the_end()
