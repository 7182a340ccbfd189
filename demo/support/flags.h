// Flags: the command line of a demo program.
//
// The names, defaults and limits that every server demo shares, and what a program adds of its own.
// Anything wrong is one line on stderr and exit code 2; --help and --version answer on stdout.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <eddy/loop/clock.h>
#include <eddy/loop/log.h>
#include <eddy/server/netutil.h>

namespace demo {

struct Endpoint {  // where a server is
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  std::string unix_path;  // instead of both, when there is one; `@name` for an abstract one
};

struct ServerFlags : Endpoint {
  mode_t unix_mode = 0600;
  eddy::BindOptions bind;       // what the program's protocol wants of its sockets: not a flag
  bool datagrams = false;       // neither: sockets of datagrams, and not of streams
  std::size_t processes = 1;    // 0: one for each core
  std::string tls_certificate;  // files; both, or none
  std::string tls_key;
  eddy::Duration handshake_timeout = std::chrono::seconds(10);
  eddy::log::Level log_level = eddy::log::Level::info;
  eddy::Duration drain_timeout = std::chrono::seconds(10);
};

class Flags {
 public:
  Flags(std::string program, std::string description);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  // Of a client: --address, --port, --unix.
  void add(Endpoint& server);
  // These, and --unix-mode, --processes, --tls-cert, --tls-key, --handshake-timeout, --log-level,
  // --drain-timeout.
  void add(ServerFlags& flags);
  // Decimal digits. The smallest and the largest value that are allowed are given; the default is
  // what the variable holds. For std::size_t.
  template <class Number>
  void add_number(const std::string& name, Number& value, std::size_t least,
                  const std::string& help, std::size_t most = SIZE_MAX);
  // A word that must be given; `kind` stands for it in the help.
  void add_text(const std::string& name, std::string& text, const std::string& kind,
                const std::string& help);
  // Decimal numbers with an optional fraction: no exponent, no sign.
  void add_seconds(const std::string& name, eddy::Duration& value, const std::string& help);
  void add_unix_path(std::string& path, const std::string& help);  // --unix
  void add_switch(const std::string& name, bool& value, const std::string& help);
  void add_choice(const std::string& name, std::string& value,
                  const std::vector<std::string>& choices, const std::string& help);
  // The words among the flags; behind `--` also those that begin with `-`.
  void add_words(std::vector<std::string>& words, const std::string& usage);
  // The words behind the flags: from the first that is no flag on, whatever they look like.
  void add_command(std::vector<std::string>& words, const std::string& usage);

  // Reads the command line. A value: the program must end with it as its exit code.
  std::optional<int> parse(int count, char** arguments);

 private:
  class App;
  void add_endpoint(Endpoint& endpoint, std::size_t least_port, const std::string& about_port);

  std::unique_ptr<App> app_;
  std::vector<std::string>* words_ = nullptr;
};

int usage_error(const std::string& program, const std::string& problem);  // prints, returns 2

}  // namespace demo
