#include "threaded_resolver.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "../loop/await.h"
#include "../loop/io_loop.h"
#include "../loop/signal_mask.h"

namespace eddy {
namespace {

struct Question {
  std::string host;
  std::uint16_t port;
  int family;
};

struct Answer {
  Addresses addresses;
  std::exception_ptr failure;  // none: there are addresses
};

// One that somebody waits for.
struct Lookup {
  Question question;
  LoopDoor door;
  Promise<Addresses> promise;

  void answer(Answer answer) {
    door.add_callback([promise = std::move(promise), answer = std::move(answer)]() mutable {
      if (answer.failure)
        promise.set_exception(std::move(answer.failure));
      else
        promise.set_result(std::move(answer.addresses));
    });
  }
};

}  // namespace

class ThreadedResolver::Lookups : public std::enable_shared_from_this<Lookups> {
 public:
  using Id = std::uint64_t;

  Lookups(std::size_t threads, std::size_t most_waiting, LookUp look_up)
      : most_threads_(std::max<std::size_t>(threads, 1)),
        most_waiting_(most_waiting),
        look_up_(std::move(look_up)) {}

  // On the loop's thread.
  Id add(Lookup lookup);
  void withdraw(Id id);  // harmless when it has been answered
  void end();            // until another one is added
  bool of_this_process() const { return process_ == ::getpid(); }
  std::shared_ptr<Lookups> another() const {
    return std::make_shared<Lookups>(most_threads_, most_waiting_, look_up_);
  }

 private:
  using Queue = std::map<Id, Lookup>;  // in the order in which they came
  struct Begun {
    Id id;
    Question question;
  };

  void start_thread();

  // On the others.
  void work();
  std::optional<Begun> next();  // nothing: the end has come
  Answer ask(const Question& question) const;
  void deliver(Id id, Answer answer);

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  const LookUp look_up_;
  const pid_t process_ = ::getpid();
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Queue waiting_;
  Queue begun_;
  Id last_ = 0;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;  // that look nothing up, or no longer: they come back here by themselves
  bool ending_ = false;
};

ThreadedResolver::Lookups::Id ThreadedResolver::Lookups::add(Lookup lookup) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= most_waiting_)
    throw LimitError("ThreadedResolver: " + std::to_string(most_waiting_) +
                     " lookups wait for a thread already (most_waiting)");
  ending_ = false;
  if (idle_ <= waiting_.size() && threads_ < most_threads_) start_thread();
  waiting_.emplace(++last_, std::move(lookup));
  changed_.notify_one();
  return last_;
}

// Fewer threads than wished for are better than none.
void ThreadedResolver::Lookups::start_thread() {
  const AllSignalsBlocked inherited;
  try {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
    ++threads_;
    ++idle_;
  } catch (...) {
    if (threads_ == 0) throw;
  }
}

void ThreadedResolver::Lookups::withdraw(Id id) {
  if (!of_this_process()) return;  // a thread of the parent may have the lock for ever
  Queue::node_type dropped;        // when the lock is
  const std::lock_guard lock(mutex_);
  dropped = waiting_.extract(id);
  if (!dropped) dropped = begun_.extract(id);
}

// Who is idle is seen off, so that nothing of the loop's is left in its hands; who is in the midst
// of a lookup will see by itself that it is over.
void ThreadedResolver::Lookups::end() {
  if (!of_this_process()) return;
  Queue dropped[2];
  std::unique_lock lock(mutex_);
  ending_ = true;
  dropped[0].swap(waiting_);
  dropped[1].swap(begun_);
  changed_.notify_all();
  changed_.wait(lock, [this] { return idle_ == 0; });
}

void ThreadedResolver::Lookups::work() {
  while (const std::optional<Begun> begun = next()) deliver(begun->id, ask(begun->question));
}

std::optional<ThreadedResolver::Lookups::Begun> ThreadedResolver::Lookups::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  --idle_;
  if (ending_) {
    --threads_;
    changed_.notify_all();
    return std::nullopt;
  }
  const auto taken = begun_.insert(waiting_.extract(waiting_.begin())).position;
  return Begun{taken->first, taken->second.question};
}

Answer ThreadedResolver::Lookups::ask(const Question& question) const {
  try {
    return {look_up_(question.host, question.port, question.family), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

void ThreadedResolver::Lookups::deliver(Id id, Answer answer) {
  Queue::node_type wanted;
  {
    const std::lock_guard lock(mutex_);
    ++idle_;
    wanted = begun_.extract(id);
  }
  if (wanted) wanted.mapped().answer(std::move(answer));
}

// A place among the lookups, which is given up with it.
class ThreadedResolver::Wanted {
 public:
  Wanted(std::shared_ptr<Lookups> lookups, Lookup lookup)
      : lookups_(std::move(lookups)), id_(lookups_->add(std::move(lookup))) {}
  ~Wanted() { lookups_->withdraw(id_); }
  Wanted(const Wanted&) = delete;
  Wanted& operator=(const Wanted&) = delete;

 private:
  const std::shared_ptr<Lookups> lookups_;
  const Lookups::Id id_;
};

ThreadedResolver::ThreadedResolver(std::size_t threads, std::size_t most_waiting, LookUp look_up)
    : lookups_(std::make_shared<Lookups>(threads, most_waiting, std::move(look_up))) {}

ThreadedResolver::ThreadedResolver(std::shared_ptr<Lookups> lookups)
    : lookups_(std::move(lookups)) {}

ThreadedResolver::~ThreadedResolver() { lookups_->end(); }

Future<Addresses> ThreadedResolver::find(std::string host, std::uint16_t port, int family) {
  if (auto numeric = look_up_numeric(host, port, family)) co_return std::move(*numeric);
  if (!lookups_->of_this_process()) lookups_ = lookups_->another();  // no thread outlives a fork
  Promise<Addresses> promise("the addresses of a host");
  const Future<Addresses> found = promise.future();
  const Wanted wanted(
      lookups_, {{std::move(host), port, family}, IOLoop::current().door(), std::move(promise)});
  co_return co_await found;
}

std::shared_ptr<Resolver> default_resolver() {
  static thread_local auto lookups = std::make_shared<ThreadedResolver::Lookups>(
      ThreadedResolver::kThreads, ThreadedResolver::kMostWaiting, ThreadedResolver::system_look_up);
  static thread_local std::weak_ptr<Resolver> shared;
  std::shared_ptr<Resolver> resolver = shared.lock();
  if (resolver) return resolver;
  if (!lookups->of_this_process()) lookups = lookups->another();
  resolver.reset(new ThreadedResolver(lookups));
  shared = resolver;
  return resolver;
}

}  // namespace eddy
