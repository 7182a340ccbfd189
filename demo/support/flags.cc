#include "flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace demo {
namespace {

constexpr const char* kVersion = "eddy 0.1.0";

std::string one_line(std::string text) {
  for (char& byte : text)
    if (byte == '\n') byte = ' ';
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

// Whole seconds and an optional fraction, as nanoseconds; nothing for anything else.
std::optional<eddy::Duration> parse_seconds(const std::string& text) {
  const auto only_digits = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
  };
  const std::size_t dot = text.find('.');
  const std::string whole = text.substr(0, dot);
  std::string fraction = dot == std::string::npos ? "0" : text.substr(dot + 1);
  if (!only_digits(whole) || !only_digits(fraction) || whole.size() > 9) return std::nullopt;
  fraction.resize(9, '0');
  return std::chrono::seconds(std::stoll(whole)) + std::chrono::nanoseconds(std::stoll(fraction));
}

const std::map<std::string, eddy::log::Level> kLevels = {
    {"trace", eddy::log::Level::trace}, {"debug", eddy::log::Level::debug},
    {"info", eddy::log::Level::info},   {"warn", eddy::log::Level::warning},
    {"error", eddy::log::Level::error}, {"off", eddy::log::Level::off}};

}  // namespace

class Flags::App : public CLI::App {
 public:
  using CLI::App::App;
};

Flags::Flags(std::string program, std::string description)
    : app_(std::make_unique<App>(std::move(description), std::move(program))) {
  app_->set_version_flag("--version", kVersion);
  app_->set_help_flag("--help", "say what the program does, and stop");
}

Flags::~Flags() = default;

void Flags::add(ServerFlags& flags) {
  app_->add_option("--address", flags.address, "a name or a numeric address")
      ->capture_default_str();
  app_->add_option("--port", flags.port, "0 picks a free one")->capture_default_str();
  app_->add_option_function<std::string>(
          "--log-level", [&](const std::string& name) { flags.log_level = kLevels.at(name); },
          "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember(kLevels))
      ->default_str("info");
  add_seconds("--drain-timeout", flags.drain_timeout, "patience with open calls at the end");
}

void Flags::add_number(const std::string& name, std::size_t& value, std::size_t least,
                       const std::string& help) {
  app_->add_option(name, value, help)
      ->capture_default_str()
      ->check(CLI::Range(least, std::size_t{1} << 40));
}

void Flags::add_seconds(const std::string& name, eddy::Duration& value, const std::string& help) {
  const auto check = [](const std::string& text) {
    return parse_seconds(text) ? std::string() : "'" + text + "' is not a number of seconds";
  };
  char shown[32];
  std::snprintf(shown, sizeof shown, "%g", std::chrono::duration<double>(value).count());
  app_->add_option_function<std::string>(
          name, [&value](const std::string& text) { value = *parse_seconds(text); }, help)
      ->check(CLI::Validator(check, ""))
      ->type_name("SECONDS")
      ->default_str(shown);
}

void Flags::add_words(std::vector<std::string>& words, const std::string& usage) {
  words_ = &words;
  app_->prefix_command();
  app_->footer("Usage: " + usage);
}

std::optional<int> Flags::parse(int count, char** arguments) {
  try {
    app_->parse(count, arguments);
  } catch (const CLI::Success& answer) {  // --help, --version
    return app_->exit(answer);
  } catch (const CLI::ParseError& error) {
    return usage_error(app_->get_name(), error.what());
  }
  if (!words_) return std::nullopt;
  *words_ = app_->remaining();
  if (!words_->empty() && words_->front().starts_with("-"))
    return usage_error(app_->get_name(), "unknown flag " + words_->front());
  return std::nullopt;
}

int usage_error(const std::string& program, const std::string& problem) {
  std::fprintf(stderr, "%s: %s\n", program.c_str(), one_line(problem).c_str());
  return 2;
}

}  // namespace demo
