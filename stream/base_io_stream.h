// BaseIOStream: bytes become messages, over any non-blocking descriptor.
//
// Mirrors tornado.iostream.BaseIOStream, by Futures alone. One read at a time, any number of
// writes. Whatever goes wrong comes through the operation's Future. A read that is given up, by
// cancel() or by dropping its Future, leaves every byte to the next read.
//
//   open --peer's EOF--> read side ended --shutdown_write--> closed
//       \--shutdown_write--> write side ended --peer's EOF--> closed
//        \--close(), error--> closed           (from anywhere)
//
// EOF ends reading only: what is written afterwards still leaves. Nothing is read from the
// descriptor unless somebody asked for it. Belongs to the thread of its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../loop/future.h"
#include "../loop/io_loop.h"
#include "read_condition.h"
#include "stream_buffer.h"
#include "stream_errors.h"
#include "stream_limits.h"
#include "write_queue.h"

namespace eddy {

class BaseIOStream : private EventHandler, private TurnEnd, private Producer, private WriteQueue {
 public:
  static constexpr std::size_t kBytesPerTurn = IOLoop::kBytesPerTurn;  // read for one, at most
  static constexpr std::size_t kFlushAt = 64 << 10;  // written bytes that wait no longer
  static constexpr std::size_t kRegexMaxBytes = 64 << 10;

  BaseIOStream(const BaseIOStream&) = delete;
  BaseIOStream& operator=(const BaseIOStream&) = delete;

  // Reading. Everything up to and with the delimiter, or the end of the first match; exactly
  // `count` bytes, or with read_some 1 to `count`, as soon as there are any; everything until the
  // peer ends. Fails with AlreadyReadingError, StreamClosedError (UnsatisfiableReadError behind it
  // when `max_bytes` is passed, StreamBufferFullError when max_buffer_size is), or, with
  // OnLimit::keep_open, with UnsatisfiableReadError itself; std::invalid_argument for an empty
  // delimiter or a pattern that RE2 does not take.
  Future<std::string> read_until(std::string_view delimiter, std::size_t max_bytes = SIZE_MAX,
                                 OnLimit on_limit = OnLimit::close,
                                 Location where = Location::current());
  Future<std::string> read_until_regex(std::string_view pattern,
                                       std::size_t max_bytes = kRegexMaxBytes,
                                       OnLimit on_limit = OnLimit::close,
                                       Location where = Location::current());
  Future<std::string> read_bytes(std::size_t count, bool partial = false,
                                 Location where = Location::current());
  Future<std::string> read_until_close(Location where = Location::current());
  // Fills the caller's memory, which must stay until the Future is done; gives the count.
  Future<std::size_t> read_into(std::span<char> memory, bool partial = false,
                                Location where = Location::current());

  // Writing. Done when the kernel has taken the bytes. What is written in one turn leaves in one
  // send, at the turn's end, or at once when somebody awaits it or kFlushAt bytes wait.
  Future<> write(std::string_view data, Location where = Location::current());
  // Done while less than the high-water mark waits, else once half of it is left: to keep pace
  // with a peer, write and then await drain.
  Future<> drain(Location where = Location::current()) {
    check_thread("IOStream::drain");
    return above_high_water() || closed_ ? drain_slowly(where) : Future<>();
  }
  // Ends our side once all is sent. Done when it is; fails when the stream closes before.
  Future<> shutdown_write(Location where = Location::current());

  // Closes now, whatever waits: unsent bytes are dropped, pending Futures fail, `error` becomes
  // their real_error. Bytes that were read stay readable. Harmless when repeated.
  void close(std::exception_ptr error = nullptr);
  // Runs from the loop's queue once the stream is closed, unless the stream is destroyed first.
  // A stream that has one also notices, while idle, that the peer ends, and then closes.
  void set_close_callback(Callback callback);

  Future<> wait_closed(Location where = Location::current());  // done once it is, for any reason

  // So many bytes that this stream has read are kept elsewhere, and count in its budget as if they
  // were in its buffer; none any more when it closes.
  void count_held(std::size_t bytes);

  bool closed() const { return closed_; }
  bool at_eof() const { return eof_; }  // the peer has ended its side
  bool reading() const { return read_.kind != ReadCondition::Kind::none; }
  bool writing() const { return !write_buffer_.empty(); }
  std::size_t read_buffer_size() const { return read_buffer_.size(); }
  std::size_t available();  // bytes that have arrived and nobody has read
  std::size_t write_buffer_size() const { return write_buffer_.size(); }
  std::exception_ptr error() const { return error_; }  // why it closed; none: orderly
  IOLoop& loop() const { return loop_; }
  const StreamLimits& limits() const { return *limits_; }
  virtual int fileno() const = 0;

  // For plain code that may block its thread: what the stream waits for, and that it came. With a
  // loop that runs, the loop sees to both.
  short wanted_events() const { return wanted_; }
  void serve_events(short events) { handle_events(static_cast<std::uint32_t>(events)); }
  TimePoint stalls_at() const { return stalling_ ? rare_->stalls_at : TimePoint::max(); }
  void close_for_stall();  // then

  using WriteQueue::total_write_done_index;  // bytes that the kernel has taken, of
  using WriteQueue::total_write_index;       // bytes ever written

 protected:
  explicit BaseIOStream(SharedLimits limits);
  ~BaseIOStream() override;  // the derived class has called close() by now

  // As POSIX: bytes moved, 0 from a read at EOF, or -1 and errno.
  virtual ssize_t read_from_fd(char* data, std::size_t size) = 0;
  virtual ssize_t write_to_fd(const char* data, std::size_t size) = 0;
  virtual void shutdown_fd() = 0;  // ends our side of the connection
  virtual void close_fd() = 0;
  virtual int fd_error() = 0;       // the descriptor's own pending error, an errno
  virtual void handle_connect() {}  // an event while connecting
  virtual void fail_connect(const std::exception_ptr&) {}  // the stream closes while connecting
  virtual void connection_failed(int error_number, const char* what);  // closes for it
  // For what stands between us and the descriptor, as TLS does, and says or holds more than we see.
  virtual bool say_goodbye() { return true; }  // before shutdown_fd(); false: no room for it yet
  virtual std::size_t arrived();               // bytes that read_from_fd() would give now
  virtual void read_waits() {}                 // for an event: the last chance to tell of others

  void check_thread(const char* call) const { loop_.check_thread(call); }
  void want(std::uint32_t events);   // adds to what the loop watches for us, unless connecting
  void watch(std::uint32_t events);  // neither more nor less
  void begin_connecting() { connecting_ = true; }  // reads and writes wait meanwhile
  void end_connecting();
  bool connecting() const { return connecting_; }
  void flush();
  void let_read_fail();  // at the close, even if what is buffered would do for it
  // Done once our buffer is empty and the descriptor takes bytes again, for what goes past it;
  // closes the stream after write_stall_timeout.
  Future<> wait_writable(Location where = Location::current());
  void read_on();            // as if the loop had told that there is something to read
  void take_in_what_came();  // as much as the buffer takes, though nobody may read
  // Another stream takes over the descriptor, which is in no loop any more, and who awaits the end.
  void step_out();
  void hand_close_callback_to(BaseIOStream& successor);
  const SharedLimits& shared_limits() const { return limits_; }

  // What an event begins and cannot finish ends this one stream, and not the loop's turn.
  template <class F>
  void or_close(F step) noexcept {
    try {
      step();
    } catch (...) {
      close_for_exception();
    }
  }

 private:
  class CloseNotice;
  struct Rare;

  // Reading: base_io_stream_read.cc.
  template <class SetCondition>
  Future<std::string> start_read(const char* what, Location where, SetCondition set_condition);
  std::size_t buffered_end();
  Future<std::string> give_at_once(std::size_t end, const char* what, Location where);
  void try_inline_read();
  bool satisfy_from_buffer(bool last);
  void complete_read(std::size_t end);
  void pass_read_limit();
  void close_over_limit(std::exception_ptr error);
  friend class BufferBudget;
  void evict(std::exception_ptr error);
  void fail_read(const std::exception_ptr& error);
  void end_read();
  void took_from_buffer();
  void finish_read_at_close() noexcept;
  void give_back_read() noexcept;
  void abandoned(FutureState& state) override;
  bool cancelled(FutureState& state) override;

  // Receiving: base_io_stream_receive.cc.
  void read_from_kernel();
  ssize_t read_the_rest();
  ssize_t read_chunk();
  ssize_t read_retrying(char* place, std::size_t room);
  bool read_buffer_full() const;
  std::size_t room_to_read();
  void took_read_bytes();
  void reached_eof();
  void read_failed(int error_number);
  void retry_regex_later();

  // Writing: base_io_stream_write.cc.
  // Told that the kernel takes no more, or connecting: epoll says when to try again.
  bool blocked() const { return wanted_ & kWrite; }
  bool above_high_water() const {
    return writing() && write_buffer_.size() >= limits_->high_water_mark;
  }
  Future<> refused(const char* what, Location where) const;
  Future<> drain_slowly(Location where);
  Future<> write_through(std::string_view data, Location where);
  void send_what_waits();
  std::size_t send(std::string_view data);
  void count_what_waits();
  void after_flush();
  void watch_for_stall();
  void finish_shutdown();
  void turn_ended() override { flush(); }
  void send_awaited() override {
    if (!blocked()) flush();
  }

  // Events and the end: base_io_stream.cc.
  void handle_events(std::uint32_t events) override;
  void handle_read_event();
  void handle_error_event();
  void watch_for_end();
  void close_if_over();
  void stop(IOLoop::Timeout& timer);
  static Future<> shared_promise(Promise<>& promise, const char* what, Location where);
  std::exception_ptr closed_error() const noexcept;
  void report_buffered();
  void close_rare(Rare& rare, const std::exception_ptr& reason);
  void close_for_exception() noexcept;

  struct ReadInto : Pooled {
    ReadInto(const char* what, Location where, std::span<char> room)
        : promise(what, where), memory(room) {}
    Promise<std::size_t> promise;
    std::span<char> memory;
    std::size_t filled = 0;
  };
  struct Rare {  // what an ordinary conversation never needs: made when it does
    std::unique_ptr<ReadInto> read_into;
    IOLoop::Timeout regex_timer;
    IOLoop::Timeout stall_timer;
    TimePoint stalls_at{};
    Promise<> drain{nullptr};
    Promise<> writable{nullptr};
    Promise<> shutdown{nullptr};
    Promise<> wait_closed{nullptr};
    std::unique_ptr<CloseNotice> close_notice;
    std::size_t held = 0;  // bytes, elsewhere
  };
  Rare& rare();  // may find no memory
  ReadInto* read_into() const { return rare_ ? rare_->read_into.get() : nullptr; }
  bool awaits_close() const { return rare_ && rare_->close_notice; }

  // In the order of their use, and few: ten thousand idle connections hold no more than this.
  IOLoop& loop_;
  const SharedLimits limits_;
  StreamBuffer read_buffer_;
  Promise<std::string> read_promise_{nullptr};
  ReadCondition read_;
  StreamBuffer write_buffer_;
  std::unique_ptr<Rare> rare_;
  std::exception_ptr error_;
  BufferBudget::Share budget_share_;

  std::uint8_t wanted_ = 0;  // what the loop watches for us
  bool registered_ : 1 = false;
  bool kernel_drained_ : 1 = false;  // the last read took all there was
  bool eof_ : 1 = false;
  bool shutdown_asked_ : 1 = false;
  bool shutdown_done_ : 1 = false;
  bool stalling_ : 1 = false;
  bool connecting_ : 1 = false;
  bool closed_ : 1 = false;
};

}  // namespace eddy
