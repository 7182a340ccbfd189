#include "subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "../loop/io_loop.h"
#include "../loop/text.h"
#include "child_process.h"

namespace eddy {
namespace {

std::string what_happened(const std::string& program, std::optional<int> returncode) {
  const std::string name = '\'' + printable(program) + "' ";
  if (!returncode) return name + "ended, nobody knows how: somebody else has waited for it";
  if (*returncode < 0) return name + "was ended by " + describe_signal(-*returncode);
  return name + "ended with exit code " + std::to_string(*returncode);
}

void check(int error_number, const std::string& what) {
  if (error_number != 0) throw std::system_error(error_number, std::generic_category(), what);
}

// One of the program's standard streams, and our end of it.
struct Standing {
  UniqueFd theirs{};  // none: it has ours
  UniqueFd ours{};
};

Standing make(Subprocess::Standard wanted, bool we_write) {
  Standing made;
  if (wanted == Subprocess::kNull) {
    made.theirs = above_standard_streams(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!made.theirs) check(errno, "/dev/null");
  } else if (wanted == Subprocess::kStream) {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) < 0) check(errno, "pipe2");
    UniqueFd reader = above_standard_streams(UniqueFd(both[0]));
    UniqueFd writer = above_standard_streams(UniqueFd(both[1]));
    made.theirs = std::move(we_write ? reader : writer);
    made.ours = std::move(we_write ? writer : reader);
  }
  return made;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void put(const UniqueFd& fd, int number) {
    if (fd) check(::posix_spawn_file_actions_adddup2(&actions_, fd.get(), number), "posix_spawn");
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// The program finds the signals as this process found them, before eddy or a server touched any.
class Attributes {
 public:
  explicit Attributes(const sigset_t& mask) {
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &mask);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

pid_t spawn(const std::vector<std::string>& arguments, const FileActions& actions) {
  const Attributes attributes(IOLoop::current().signal_mask_for_exec());
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  check(
      ::posix_spawnp(&pid, pointers[0], actions.get(), attributes.get(), pointers.data(), environ),
      "cannot run '" + printable(arguments.front()) + '\'');
  return pid;
}

}  // namespace

CalledProcessError::CalledProcessError(const std::string& program, std::optional<int> returncode)
    : std::runtime_error(what_happened(program, returncode)), returncode_(returncode) {}

// Waits for the end of the program, whoever wants to know, so that no zombie stays.
class Subprocess::Watch {
 public:
  Watch(std::string program, pid_t pid) : program_(std::move(program)), process_(pid) {}

  static void begin(const std::shared_ptr<Watch>& watch) try {
    if (watch->process_.fd() < 0) return watch->ended();
    IOLoop::current().add_handler(watch->process_.fd(), kRead,
                                  [watch](int, std::uint32_t) { watch->ended(); });
  } catch (...) {
    watch->process_.send_signal(SIGKILL);
    watch->process_.reap();
    throw;
  }

  void send_signal(int signal) const { process_.send_signal(signal); }

  Future<int> wait(bool raise_error) {
    Promise<int> promise("Subprocess::wait_for_exit");
    Future<int> future = promise.future();
    if (!process_) {
      tell(promise, raise_error);
      return future;
    }
    std::erase_if(waiting_, [](const Waiting& one) { return one.given_up(); });
    waiting_.push_back({std::move(promise), raise_error});
    return future;
  }

 private:
  struct Waiting {
    Promise<int> promise;
    bool raise_error;
    bool given_up() const { return promise.done() || promise.state()->abandoned(); }
  };

  void ended() {
    IOLoop::current().remove_handler(process_.fd());
    returncode_ = process_.reap();
    for (Waiting& one : std::exchange(waiting_, {})) tell(one.promise, one.raise_error);
  }

  void tell(Promise<int>& promise, bool raise_error) const {
    if (returncode_ && (*returncode_ == 0 || !raise_error))
      promise.set_result(*returncode_);
    else
      promise.set_exception(CalledProcessError(program_, returncode_));
  }

  const std::string program_;
  ChildProcess process_;  // none: it has ended
  std::optional<int> returncode_;
  std::vector<Waiting> waiting_;
};

Subprocess::Subprocess(const std::vector<std::string>& arguments, const Options& options) {
  if (arguments.empty()) throw std::invalid_argument("Subprocess: no program is named");
  Standing standard[] = {make(options.input, true), make(options.output, false),
                         make(options.error, false)};
  FileActions actions;
  for (int number = 0; number < 3; ++number) actions.put(standard[number].theirs, number);
  std::unique_ptr<PipeIOStream>* streams[] = {&input, &output, &error};
  for (int number = 0; number < 3; ++number)
    if (UniqueFd& ours = standard[number].ours)
      *streams[number] = std::make_unique<PipeIOStream>(std::move(ours), options.limits);
  pid_ = spawn(arguments, actions);  // last: whatever fails leaves no program behind
  watch_ = std::make_shared<Watch>(arguments.front(), pid_);
  Watch::begin(watch_);
}

Subprocess::~Subprocess() = default;
Subprocess::Subprocess(Subprocess&&) noexcept = default;
Subprocess& Subprocess::operator=(Subprocess&&) noexcept = default;

void Subprocess::send_signal(int signal) const { watch_->send_signal(signal); }

Future<int> Subprocess::wait_for_exit(bool raise_error) { return watch_->wait(raise_error); }

}  // namespace eddy
