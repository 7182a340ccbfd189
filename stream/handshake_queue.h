// HandshakeQueue: TLS handshakes take turns, so that a thousand at once hold up nobody else.
//
// Nothing in Tornado mirrors it. A step of a handshake is arithmetic, up to a millisecond of it, so
// only a few run in a turn of the loop. So many may be under way; those beyond wait, in the order
// in which they came, and neither they nor those that wait for their step are watched meanwhile.
//
//   came --limit--> under way --ask()--> in line --a few a turn--> takes a step --leave()--> over
#pragma once

#include <cstddef>

#include "../loop/callback_queue.h"
#include "../loop/list.h"

namespace eddy {

class HandshakeQueue final : private Runnable {
 public:
  static constexpr int kStepsPerTurn = 4;

  class Member : public ListNode {
   public:
    virtual void take_step() = 0;  // may ask for another one, or leave

   protected:
    ~Member() = default;

   private:
    friend class HandshakeQueue;
    bool under_way_ = false;
  };

  // At most so many are under way; 0: as many as come.
  explicit HandshakeQueue(std::size_t limit = 0) : limit_(limit) {}
  HandshakeQueue(const HandshakeQueue&) = delete;
  HandshakeQueue& operator=(const HandshakeQueue&) = delete;

  void ask(Member& member);    // for a step, in a later turn; harmless when repeated
  void leave(Member& member);  // before it is destroyed

  std::size_t under_way() const { return under_way_; }

 private:
  void run() override;
  void begin(Member& member);
  void run_later();

  const std::size_t limit_;
  std::size_t under_way_ = 0;
  List<Member> in_line_;
  List<Member> beyond_limit_;
};

}  // namespace eddy
