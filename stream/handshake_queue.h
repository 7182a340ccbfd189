// HandshakeQueue: TLS handshakes take turns, so that a thousand at once hold up nobody else.
//
// Nothing in Tornado mirrors it. A step of a handshake is arithmetic, up to a millisecond of it, so
// only a few run in a turn of the loop. So many may be under way; those beyond wait, in the order
// in which they came, and neither they nor those that wait for their step are watched meanwhile.
// Who waits for its own peer keeps its place for a second at least, and no longer than until
// somebody else wants it: peers that fall silent within a handshake hold up nobody.
//
// When its server drains, who has said nothing is idle, and ends; the others have kDrainPatience.
//
//   came --limit--> in line --a few a turn--> idle, its step is taken --leave()--> over
//                      \----------ask()----------/  \--kMostIdle, and others wait--> gives up
#pragma once

#include <chrono>
#include <cstddef>

#include "../loop/callback_queue.h"
#include "../loop/io_loop.h"
#include "../loop/list.h"

namespace eddy {

class HandshakeQueue final : private Runnable {
 public:
  static constexpr int kStepsPerTurn = 4;
  static constexpr Duration kMostIdle = std::chrono::seconds(1);
  static constexpr Duration kDrainPatience = std::chrono::seconds(1);

  class Member : public ListNode {
   public:
    virtual void take_step() = 0;                 // may ask for another one, or leave
    virtual void give_up(std::size_t limit) = 0;  // its place, to another: leaves
    virtual void hurry() = 0;                     // the server drains: may leave

   protected:
    ~Member() = default;

   private:
    friend class HandshakeQueue;
    bool under_way_ = false;
    bool idle_ = false;  // it waits for its peer
    TimePoint idle_since_{};
  };

  // At most so many are under way; 0: as many as come.
  explicit HandshakeQueue(std::size_t limit = 0) : limit_(limit) {}
  ~HandshakeQueue();
  HandshakeQueue(const HandshakeQueue&) = delete;
  HandshakeQueue& operator=(const HandshakeQueue&) = delete;

  void come(Member& member);   // its peer has not been heard yet
  void ask(Member& member);    // for a step, in a later turn; harmless when repeated
  void leave(Member& member);  // before it is destroyed
  void drain();                // hurries all that are here

  std::size_t under_way() const { return under_way_; }

 private:
  void run() override;
  void begin(Member& member);
  void run_later();
  void step_of(Member& member, TimePoint now);
  void make_room();
  static void hurry(List<Member>& members);

  const std::size_t limit_;
  std::size_t under_way_ = 0;
  List<Member> silent_;  // so far
  List<Member> in_line_;
  List<Member> idle_;  // the longest first
  List<Member> beyond_limit_;
  IOLoop::Timeout timer_{};  // for the first of the idle, while others want its place
};

}  // namespace eddy
