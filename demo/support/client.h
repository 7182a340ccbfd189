// client: what every client demo does around its conversation.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <eddy/server/tcp_client.h>

#include "flags.h"

namespace demo {

eddy::TCPClient::Connection connect(const Endpoint& server);

// Done, or failed, when the first of the two is; the other is given up.
eddy::Future<> either(eddy::Future<> one, eddy::Future<> other);

// Runs a conversation on a loop of its own until it is over, and gives the program's exit code;
// what it throws is one line on stderr, and 1.
int converse(const std::string& program, const std::function<eddy::Future<>()>& conversation);
// The same, until SIGTERM or SIGINT if that is sooner.
int converse_until_stopped(const std::string& program,
                           const std::function<eddy::Future<>()>& conversation);

// On standard output; they throw std::system_error when it does not take it.
void print(std::string_view text);
void flush();

}  // namespace demo
