// ChatServer: a chat that runs, and clients that are known to be in it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "../support/demo_server.h"

namespace eddy {

class ChatServer : public DemoServer {
 public:
  explicit ChatServer(Words flags = {}, const Surroundings& around = {})
      : DemoServer("chat", std::move(flags), around) {}

  // One who has heard itself, and so hears all that is said from now on.
  std::unique_ptr<Client> join(const Client::Options& options = {}) const {
    auto client = std::make_unique<Client>(port(), options);
    client->send("hello\n");
    while (!client->read_until("\n").ends_with(" hello\n")) {
    }
    return client;
  }
};

}  // namespace eddy
