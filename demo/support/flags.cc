#include "flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace demo {
namespace {

constexpr const char* kVersion = "eddy 0.1.0";
constexpr std::size_t kMostProcesses = 1024;

std::string one_line(std::string text) {
  for (char& byte : text)
    if (byte == '\n') byte = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

bool only_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// Decimal digits and nothing else: what begins with 0 is not octal, and 0x1F is no number.
std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  if (!only_digits(text) || std::from_chars(text.data(), end, value).ec != std::errc())
    return std::nullopt;
  return value;
}

// As chmod takes it: octal digits, at most the nine bits of permission.
std::optional<mode_t> parse_mode(std::string_view text) {
  mode_t mode = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, mode, 8);
  if (text.empty() || read.ec != std::errc() || read.ptr != end || mode > 0777) return std::nullopt;
  return mode;
}

// Whole seconds and an optional fraction, as nanoseconds.
std::optional<eddy::Duration> parse_seconds(const std::string& text) {
  const std::size_t dot = text.find('.');
  const std::string whole = text.substr(0, dot);
  std::string fraction = dot == std::string::npos ? "0" : text.substr(dot + 1);
  if (!only_digits(whole) || !only_digits(fraction) || whole.size() > 9) return std::nullopt;
  fraction.resize(9, '0');
  return std::chrono::seconds(std::stoll(whole)) + std::chrono::nanoseconds(std::stoll(fraction));
}

std::optional<eddy::log::Level> parse_level(const std::string& name) {
  using eddy::log::Level;
  constexpr std::pair<std::string_view, Level> kLevels[] = {
      {"trace", Level::trace},  {"debug", Level::debug}, {"info", Level::info},
      {"warn", Level::warning}, {"error", Level::error}, {"off", Level::off}};
  for (const auto& [word, level] : kLevels)
    if (word == name) return level;
  return std::nullopt;
}

// What CLI11 asks of a value: why it can't be, or nothing.
template <class Parse>
CLI::Validator check(Parse parse, const std::string& what) {
  return {[parse, what](const std::string& text) {
            return parse(text) ? std::string() : '\'' + text + "' is " + what;
          },
          ""};
}

std::string unix_path_problem(const std::string& path) {
  try {
    eddy::SocketAddress::unix_path(path);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string number_text(std::size_t least, std::size_t most) {
  constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  return "not a number from " + std::to_string(least) +
         (most == kNoLimit ? " up" : " to " + std::to_string(most));
}

}  // namespace

class Flags::App : public CLI::App {
 public:
  using CLI::App::App;

  // What was no flag that it knows, as it was written: an option of CLI11 would take `[a,b]` apart.
  void take_words(std::vector<std::string>& words) const {
    for (const auto& [kind, word] : missing_) {
      if (kind == CLI::detail::Classifier::NONE)
        words.push_back(word);
      else if (kind != CLI::detail::Classifier::POSITIONAL_MARK)
        throw CLI::ExtrasError("unknown flag " + word, CLI::ExitCodes::ExtrasError);
    }
  }
};

Flags::Flags(std::string program, std::string description)
    : app_(std::make_unique<App>(std::move(description), std::move(program))) {
  app_->set_version_flag("--version", kVersion, "say which eddy it is, and stop");
  app_->set_help_flag("--help", "say what the program does, and stop");
}

Flags::~Flags() = default;

void Flags::add_endpoint(Endpoint& endpoint, std::size_t least_port,
                         const std::string& about_port) {
  CLI::Option* address =
      app_->add_option("--address", endpoint.address, "a name or a numeric address")
          ->check(check([](const std::string& text) { return !text.empty(); }, "no address"))
          ->type_name("ADDR")
          ->capture_default_str();
  add_number("--port", endpoint.port, least_port, about_port);
  add_unix_path(endpoint.unix_path, "a Unix socket instead; @name: an abstract one");
  app_->get_option("--unix")->excludes(address)->excludes(app_->get_option("--port"));
}

void Flags::add(Endpoint& server) { add_endpoint(server, 1, "where the server listens"); }

void Flags::add(ServerFlags& flags) {
  add_endpoint(flags, 0, "0 picks a free one");
  app_->add_option_function<std::string>(
          "--unix-mode", [&](const std::string& text) { flags.unix_mode = *parse_mode(text); },
          "who may connect to it")
      ->check(check(parse_mode, "not an octal mode up to 777"))
      ->needs(app_->get_option("--unix"))
      ->type_name("MODE")
      ->default_str("0600");
  add_number("--processes", flags.processes, 0, "workers; 0: one for each core", kMostProcesses);
  CLI::Option* certificate =
      app_->add_option("--tls-cert", flags.tls_certificate, "PEM: the chain of certificates")
          ->type_name("FILE");
  app_->add_option("--tls-key", flags.tls_key, "PEM: the key that goes with it")
      ->needs(certificate)
      ->type_name("FILE");
  certificate->needs(app_->get_option("--tls-key"));
  add_seconds("--handshake-timeout", flags.handshake_timeout, "patience with a client's beginning");
  app_->add_option_function<std::string>(
          "--log-level", [&](const std::string& name) { flags.log_level = *parse_level(name); },
          "trace, debug, info, warn, error or off")
      ->check(check(parse_level, "none of trace, debug, info, warn, error, off"))
      ->type_name("LEVEL")
      ->default_str("info");
  add_seconds("--drain-timeout", flags.drain_timeout, "patience with open calls at the end");
}

template <class Number>
void Flags::add_number(const std::string& name, Number& value, std::size_t least,
                       const std::string& help, std::size_t most) {
  most = std::min<std::size_t>(most, std::numeric_limits<Number>::max());
  const auto in_range = [=](const std::string& text) {
    const std::optional<std::size_t> number = parse_number(text);
    return number && *number >= least && *number <= most;
  };
  app_->add_option_function<std::string>(
          name,
          [&value](const std::string& text) { value = static_cast<Number>(*parse_number(text)); },
          help)
      ->check(check(in_range, number_text(least, most)))
      ->type_name("N")
      ->default_str(std::to_string(value));
}

template void Flags::add_number(const std::string&, std::size_t&, std::size_t, const std::string&,
                                std::size_t);

void Flags::add_text(const std::string& name, std::string& text, const std::string& kind,
                     const std::string& help) {
  app_->add_option(name, text, help)->required()->type_name(kind);
}

void Flags::add_seconds(const std::string& name, eddy::Duration& value, const std::string& help) {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%g", std::chrono::duration<double>(value).count());
  app_->add_option_function<std::string>(
          name, [&value](const std::string& text) { value = *parse_seconds(text); }, help)
      ->check(check(parse_seconds, "not a number of seconds"))
      ->type_name("SECONDS")
      ->default_str(shown);
}

void Flags::add_unix_path(std::string& path, const std::string& help) {
  app_->add_option("--unix", path, help)->check({unix_path_problem, ""})->type_name("PATH");
}

void Flags::add_switch(const std::string& name, bool& value, const std::string& help) {
  app_->add_flag(name, value, help);
}

void Flags::add_choice(const std::string& name, std::string& value,
                       const std::vector<std::string>& choices, const std::string& help) {
  std::string all;
  for (const std::string& choice : choices) all += (all.empty() ? "" : ", ") + choice;
  const auto is_one = [choices](const std::string& text) {
    return std::find(choices.begin(), choices.end(), text) != choices.end();
  };
  app_->add_option(name, value, all + "; " + help)
      ->check(check(is_one, "none of " + all))
      ->type_name("WORD");
}

void Flags::add_words(std::vector<std::string>& words, const std::string& usage) {
  words_ = &words;
  app_->allow_extras();
  app_->footer("Usage: " + usage);
}

void Flags::add_command(std::vector<std::string>& words, const std::string& usage) {
  add_words(words, usage);
  app_->prefix_command();
}

std::optional<int> Flags::parse(int count, char** arguments) {
  try {
    app_->parse(count, arguments);
    if (words_) app_->take_words(*words_);
    return std::nullopt;
  } catch (const CLI::Success& answer) {  // --help, --version
    return app_->exit(answer);
  } catch (const CLI::ParseError& error) {
    return usage_error(app_->get_name(), error.what());
  }
}

int usage_error(const std::string& program, const std::string& problem) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), one_line(problem).c_str());
  return 2;
}

}  // namespace demo
