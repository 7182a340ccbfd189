#include "http_conformance.h"

#include <algorithm>

namespace eddy {
namespace {

constexpr std::string_view kLine = "HTTP/1.1 ";
const std::string kBefore = line("GET /before HTTP/1.1");
const std::string kAfter = line("GET /after HTTP/1.1");
constexpr std::string_view kLastAnswer = "GET /after";

HTTPResponse say_what_came(const HTTPRequest& request) {
  std::string told = request.method + ' ' + std::string(request.path());
  if (!request.query().empty()) told.append("?").append(request.query());
  if (request.headers.contains("X")) told.append(" X=").append(request.headers.get("X"));
  if (!request.body.empty()) told.append(" '").append(request.body).append("'");
  return told;
}

std::string_view field(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == head.npos) return {};
  const std::string_view rest = head.substr(at + name.size());
  return rest.substr(0, rest.find("\r\n"));
}

std::string told_by_head(std::string_view head) {
  EXPECT_TRUE(head.starts_with(kLine)) << head;
  std::string told(head.substr(kLine.size(), 3));
  EXPECT_TRUE(told == "100" || field(head, "\r\nDate: ").ends_with(" GMT")) << head;
  const std::string_view allow = field(head, "\r\nAllow: ");
  return allow.empty() ? told : told.append(" ").append(allow);
}

// An answer to HEAD tells a length, too: what follows is no body then.
std::string_view take_body(std::string_view head, std::string_view& rest) {
  const std::string_view length = field(head, "\r\nContent-Length: ");
  if (length.empty() || rest.starts_with(kLine)) return {};
  const std::string_view body = rest.substr(0, std::stoul(std::string(length)));
  rest.remove_prefix(body.size());
  return body;
}

}  // namespace

std::string told_by_answers(std::string_view rest) {
  std::string told;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n\r\n"), rest.size() - 1) + 1;
    const std::string_view head = rest.substr(0, end + 1);
    rest.remove_prefix(std::min(end + 3, rest.size()));
    told.append(told.empty() ? "" : "; ").append(told_by_head(head));
    const std::string_view body = take_body(head, rest);
    if (head.starts_with("HTTP/1.1 200") && !body.empty()) told.append(" ").append(body);
    if (field(head, "\r\nConnection: ") == "close") told += " close";
  }
  return told;
}

// --- The server and its clients

HTTPConversations::HTTPConversations() {
  routes.get("/host", [](const HTTPRequest& request) { return request.headers.get("Host"); });
  routes.add("PUT", "/put", say_what_came);
  routes.get("/.*", say_what_came);
  routes.post("/.*", say_what_came);
}

void HTTPConversations::serve() {
  server = std::make_unique<HTTPServer>(routes, options);
  server->listen(0, "127.0.0.1");
  address = server->addresses().front();
  turn_a_few_times();
  descriptors = open_descriptors();
}

RawClient& HTTPConversations::connect() { return clients.emplace_back(address); }

RawClient& HTTPConversations::say(const std::string& bytes) {
  RawClient& client = connect();
  client.send(bytes);
  return client;
}

bool HTTPConversations::hears(RawClient& client, const std::string& expected) {
  const bool heard = run_until([&] { return told_by_answers(client.received()) == expected; });
  EXPECT_EQ(told_by_answers(client.received()), expected);
  return heard;
}

bool HTTPConversations::ends(RawClient& client) {
  return run_until([&] { return client.over(); });
}

void HTTPConversations::run_until_heard() {
  const auto has_ended = [](RawClient& client) { return client.over(); };
  EXPECT_TRUE(run_until([&] {
    const auto ended = std::count_if(clients.begin(), clients.end(), has_ended);
    return server->connections() + static_cast<std::size_t>(ended) >= clients.size();
  }));
  turn_a_few_times();
}

void HTTPConversations::leave() {
  for (RawClient& client : clients) client.reset();
  clients.clear();
  EXPECT_TRUE(run_until([&] { return server->connections() == 0; }));
  EXPECT_EQ(open_descriptors(), descriptors);
}

// --- A row

void HTTPConformance::check(const HTTPRow& row) {
  constexpr std::size_t kAtOnce = 32;  // connections: fewer than the kernel lets wait
  serve();
  const std::string goes_on = row.outcome;
  expected_ = goes_on.ends_with("close") ? goes_on : goes_on + "; 200 GET /after";
  for (std::size_t cut = 0; cut < row.bytes.size() && !HasFailure(); cut += kAtOnce)
    check_in_two_pieces(row.bytes + kAfter, cut, std::min(cut + kAtOnce, row.bytes.size()) - 1);
  expected_ = "200 GET /before; " + expected_;
  const std::string conversation = kBefore + row.bytes + kAfter;
  if (!HasFailure()) check_in_two_pieces(conversation, 0, 0);
  if (!HasFailure()) check_byte_by_byte(conversation);
}

void HTTPConformance::check_in_two_pieces(const std::string& conversation, std::size_t from,
                                          std::size_t to) {
  SCOPED_TRACE(conversation);
  for (std::size_t cut = from; cut <= to; ++cut) say(conversation.substr(0, cut));
  run_until_heard();
  std::size_t cut = from;
  for (const RawClient& client : clients) client.send(conversation.substr(cut++));
  cut = from;
  for (RawClient& client : clients) {
    SCOPED_TRACE("cut at byte " + std::to_string(cut++));
    check_outcome(client);
    if (HasFailure()) break;
  }
  leave();
}

void HTTPConformance::check_byte_by_byte(const std::string& conversation) {
  SCOPED_TRACE("byte by byte");
  RawClient& client = connect();
  for (std::size_t sent = 0; sent < conversation.size(); ++sent) {
    client.send(conversation.substr(sent, 1));
    loop.turn();
  }
  check_outcome(client);
  leave();
}

void HTTPConformance::check_outcome(RawClient& client) {
  EXPECT_TRUE(run_until([&] { return is_settled(client); })) << "nothing comes any more";
  EXPECT_EQ(told_by_answers(client.received()), expected_);
  EXPECT_EQ(client.over(), expected_.ends_with("close"));
  EXPECT_FALSE(client.was_reset());
}

bool HTTPConformance::is_settled(RawClient& client) const {
  return client.over() || client.received().ends_with(kLastAnswer);
}

}  // namespace eddy
