#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <eddy/loop/gen.h>
#include <eddy/loop/queues.h>

#include "../support/fake_clock.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::chrono_literals;

struct QueuesTest : testing::Test {
  void turns(int count = 4) {
    while (count-- > 0) loop.turn();
  }
  void sleep_past(Duration duration) {
    clock.advance(duration);
    turns();
  }
  template <class Queue>
  static void put_all(Queue& queue, const std::string& items) {
    for (const char item : items) queue.put_nowait(item);
  }
  template <class Queue>
  static std::string get_all(Queue& queue) {
    std::string all;
    while (!queue.empty()) all += queue.get_nowait();
    return all;
  }

  FakeClock clock;
  ScopedPlatform installed{clock};
  IOLoop loop;
  LogCapture log;
};

struct QueueTest : QueuesTest {
  Future<> get_as(char name) {
    const char item = co_await queue.get();
    seen += std::string{name, item, ' '};
  }
  Queue<char> queue;
  Queue<char> two{2};
  std::string seen;
};
using PriorityQueueTest = QueuesTest;
using LifoQueueTest = QueuesTest;

TEST_F(QueueTest, ItemsComeOutInTheOrderInWhichTheyWentIn) {
  put_all(queue, "abc");
  EXPECT_EQ(queue.qsize(), 3u);
  EXPECT_EQ(queue.get().result(), 'a');
  EXPECT_EQ(get_all(queue), "bc");
  EXPECT_TRUE(queue.empty());
}

TEST_F(QueueTest, WithoutAMaxsizeItIsNeverFull) {
  for (int at = 0; at < 10'000; ++at) EXPECT_TRUE(queue.put('x').done());
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.maxsize(), 0u);
}

TEST_F(QueueTest, ANegativeMaxsizeIsAnError) {
  EXPECT_THROW(Queue<char>(static_cast<std::size_t>(-1)), std::invalid_argument);
}

TEST_F(QueueTest, WithoutWaitingAFullAndAnEmptyQueueAreErrors) {
  EXPECT_THROW(two.get_nowait(), QueueEmpty);
  put_all(two, "ab");
  EXPECT_TRUE(two.full());
  try {
    two.put_nowait('c');
    ADD_FAILURE();
  } catch (const QueueFull& error) {
    EXPECT_STREQ(error.what(), "put_nowait: the queue is full (maxsize = 2)");
  }
  EXPECT_EQ(get_all(two), "ab");
}

TEST_F(QueueTest, APutGoesToTheFirstWhoWaits) {
  const std::vector gets{get_as('1'), get_as('2')};
  put_all(queue, "ab");
  EXPECT_EQ(queue.qsize(), 0u);
  turns();
  EXPECT_EQ(seen, "1a 2b ");
}

TEST_F(QueueTest, AGetLetsInTheFirstPutThatWaits) {
  put_all(two, "ab");
  const std::vector puts{two.put('c'), two.put('d')};
  EXPECT_FALSE(puts.front().done());
  EXPECT_EQ(two.get_nowait(), 'a');
  EXPECT_TRUE(puts.front().done());
  EXPECT_FALSE(puts.back().done());
  EXPECT_TRUE(two.full());
  EXPECT_EQ(get_all(two), "bcd");
  EXPECT_TRUE(puts.back().done());
}

TEST_F(QueueTest, AGetThatTimesOutTakesNothing) {
  const Future<char> impatient = queue.get(1s);
  const Future<char> patient = queue.get(loop.time() + 1h);
  EXPECT_THROW(queue.get(0s).result(), TimeoutError);
  sleep_past(1s);
  EXPECT_THROW(impatient.result(), TimeoutError);
  queue.put_nowait('a');
  EXPECT_EQ(patient.result(), 'a');
  EXPECT_EQ(loop.time_to_sleep(), Duration::max());
}

TEST_F(QueueTest, APutThatTimesOutPutsNothing) {
  put_all(two, "ab");
  const Future<> impatient = two.put('c', 1s);
  const Future<> patient = two.put('d', 1h);
  EXPECT_THROW(two.put('e', 0s).result(), TimeoutError);
  sleep_past(1s);
  EXPECT_THROW(impatient.result(), TimeoutError);
  EXPECT_EQ(get_all(two), "abd");
  EXPECT_TRUE(patient.done());
}

TEST_F(QueueTest, APutThatIsDroppedOrCancelledWhileItWaitsPutsNothing) {
  put_all(two, "ab");
  static_cast<void>(two.put('c'));
  Future<> cancelled = two.put('d');
  cancelled.cancel();
  EXPECT_EQ(get_all(two), "ab");
}

TEST_F(QueueTest, AnItemThatNobodyTookGoesBackToItsPlace) {
  put_all(queue, "abc");
  Future<char> first = queue.get();
  Future<char> second = queue.get();
  EXPECT_EQ(queue.qsize(), 1u);
  first = Future<char>();
  second = Future<char>();
  EXPECT_EQ(get_all(queue), "abc");
}

TEST_F(QueueTest, AnItemWhoseGetterIsDroppedBeforeHeGoesOnIsTheNextOnes) {
  Future<> dropped = get_as('1');
  const Future<> next = get_as('2');
  queue.put_nowait('a');
  dropped = {};
  turns();
  EXPECT_EQ(seen, "2a ");
}

TEST_F(QueueTest, AnItemWhoseGetterIsDroppedBeforeHeGoesOnIsThereForWhoComes) {
  Future<> dropped = get_as('1');
  put_all(queue, "ab");
  EXPECT_EQ(queue.qsize(), 1u);
  dropped = {};
  EXPECT_EQ(get_all(queue), "ab");
}

TEST_F(QueueTest, AnItemThatComesBackMayMakeItLongerThanItsMaxsizeButNoPutDoes) {
  put_all(two, "ab");
  Future<char> dropped = two.get();
  two.put_nowait('c');
  const Future<> waiting = two.put('d');
  dropped = Future<char>();
  EXPECT_EQ(two.qsize(), 3u);
  EXPECT_EQ(two.get_nowait(), 'a');
  EXPECT_FALSE(waiting.done());
  EXPECT_EQ(get_all(two), "bcd");
}

TEST_F(QueueTest, AnItemThatWasTakenStaysTaken) {
  put_all(queue, "ab");
  EXPECT_EQ(queue.get().result(), 'a');
  const Future<> got = get_as('1');
  turns();
  EXPECT_EQ(seen, "1b ");
  EXPECT_TRUE(queue.empty());
}

TEST_F(QueueTest, ItemsNeedOnlyMove) {
  Queue<std::unique_ptr<int>> owners(1);
  owners.put_nowait(std::make_unique<int>(1));
  const Future<> waiting = owners.put(std::make_unique<int>(2));
  static_cast<void>(owners.get());
  EXPECT_EQ(*owners.get_nowait(), 1);
  const Future<std::unique_ptr<int>> second = owners.get();
  EXPECT_EQ(*second.result(), 2);
  const Future<std::unique_ptr<int>> third = owners.get();
  owners.put_nowait(std::make_unique<int>(3));
  EXPECT_EQ(*third.state()->take(), 3);
}

TEST_F(QueueTest, JoinWaitsUntilEachItemIsDoneAndNotUntilItIsEmpty) {
  EXPECT_TRUE(queue.join().done()) << "nothing has come in";
  put_all(queue, "ab");
  const Future<> joined = queue.join();
  get_all(queue);
  EXPECT_FALSE(joined.done());
  queue.task_done();
  EXPECT_FALSE(joined.done());
  queue.task_done();
  EXPECT_TRUE(joined.done());
  EXPECT_THROW(queue.task_done(), InvalidStateError);
}

TEST_F(QueueTest, AnItemThatWaitsOutsideIsNotCountedYet) {
  put_all(two, "ab");
  const Future<> waiting = two.put('c');
  two.task_done();
  two.task_done();
  EXPECT_TRUE(two.join().done());
  EXPECT_EQ(two.get_nowait(), 'a');
  EXPECT_FALSE(two.join().done());
}

TEST_F(QueueTest, AnItemThatGoesToOneWhoWaitsIsCounted) {
  const Future<char> waiting = queue.get();
  queue.put_nowait('a');
  EXPECT_FALSE(queue.join().done());
}

TEST_F(QueueTest, JoinFailsWhenTheTimeIsUp) {
  queue.put_nowait('a');
  const Future<> joined = queue.join(1s);
  sleep_past(1s);
  EXPECT_THROW(joined.result(), TimeoutError);
  EXPECT_EQ(log::describe(joined.exception()), "timed out waiting for Queue::join");
}

TEST_F(QueueTest, DestroyingItFailsThoseWhoWaitAndLeavesWhatWasGiven) {
  std::optional<Queue<std::string>> gone(std::in_place, 1);
  gone->put_nowait("given");
  const Future<std::string> given = gone->get();
  gone->put_nowait("in it");
  const Future<> putting = gone->put("outside");
  std::optional<Queue<std::string>> empty(std::in_place);
  const Future<std::string> getting = empty->get();
  gone.reset();
  empty.reset();
  EXPECT_EQ(given.result(), "given");
  EXPECT_THROW(putting.result(), BrokenPromiseError);
  EXPECT_THROW(getting.result(), BrokenPromiseError);
}

TEST_F(QueueTest, ItsCallsFromAnotherThreadAreErrors) {
  std::thread([this] {
    EXPECT_THROW(queue.put_nowait('a'), WrongThreadError);
    EXPECT_THROW(static_cast<void>(queue.get()), WrongThreadError);
  }).join();
  EXPECT_TRUE(queue.empty());
}

TEST_F(PriorityQueueTest, TheLowestComesOutFirstAndOfEqualOnesTheFirstIn) {
  struct ByHundreds {
    bool operator()(int one, int other) const { return one / 100 < other / 100; }
  };
  PriorityQueue<int, ByHundreds> queue;
  std::vector<int> items(1000);
  for (int at = 0; at < 1000; ++at) items[static_cast<std::size_t>(at)] = at * 7 % 1000;
  for (const int item : items) queue.put_nowait(item);
  for (int hundred = 0; hundred < 10; ++hundred)
    for (const int item : items) {
      if (item / 100 != hundred) continue;
      EXPECT_EQ(queue.get_nowait(), item);
    }
}

TEST_F(PriorityQueueTest, APutThatWaitsIsLetInBeforeTheLowestLeaves) {
  PriorityQueue<char> queue(1);
  queue.put_nowait('b');
  const Future<> waiting = queue.put('a');
  EXPECT_EQ(get_all(queue), "ab");
}

TEST_F(PriorityQueueTest, AnItemThatNobodyTookGoesBackToItsPlace) {
  PriorityQueue<char> queue;
  put_all(queue, "cab");
  Future<char> first = queue.get();
  Future<char> second = queue.get();
  second = Future<char>();
  first = Future<char>();
  EXPECT_EQ(get_all(queue), "abc");
}

TEST_F(LifoQueueTest, TheLastInComesOutFirst) {
  LifoQueue<char> queue(3);
  put_all(queue, "abc");
  const Future<> waiting = queue.put('d');
  EXPECT_EQ(get_all(queue), "dcba");
}

TEST_F(LifoQueueTest, AnItemThatNobodyTookGoesBackToItsPlace) {
  LifoQueue<char> queue;
  put_all(queue, "abc");
  Future<char> dropped = queue.get();
  Future<char> other = queue.get();
  queue.put_nowait('d');
  dropped = Future<char>();
  other = Future<char>();
  EXPECT_EQ(get_all(queue), "dcba");
}

// Gets and puts come, wait, are dropped, cancelled and served in any order: each item that came in
// comes out once.
template <class Chars>
class AnyQueueTest : public QueuesTest {};
using AllQueues = testing::Types<Queue<char>, LifoQueue<char>, PriorityQueue<char>>;
TYPED_TEST_SUITE(AnyQueueTest, AllQueues);

TYPED_TEST(AnyQueueTest, NoItemIsLostOrDoubledWhateverBecomesOfThoseWhoWait) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    TypeParam queue(random() % 4);
    std::vector<Future<char>> gets;
    std::vector<std::pair<char, Future<>>> puts;
    const auto any = [&](auto& all) {
      return all.begin() + static_cast<int>(random() % all.size());
    };
    std::string out;
    for (char next = 'a'; next <= 'z';) {
      const unsigned what = random() % 8;
      if (what < 3) puts.emplace_back(next, queue.put(next)), ++next;
      if (what >= 3 && what < 5) gets.push_back(queue.get());
      if (what == 5 && !gets.empty()) gets.erase(any(gets));
      if (what == 6 && !gets.empty()) any(gets)->cancel();
      if (what == 7 && !puts.empty()) any(puts)->second.cancel();
    }
    for (const Future<char>& get : gets)
      if (get.done() && !get.exception()) out += get.result();
    out += this->get_all(queue);
    std::string in;
    for (const auto& [item, put] : puts)
      if (!put.exception()) in += item;
    std::sort(out.begin(), out.end());
    ASSERT_EQ(out, in) << "round " << round;
  }
}

}  // namespace
}  // namespace eddy
