// Resolver: a host and a port become addresses.
//
// Mirrors tornado.netutil.Resolver and its OverrideResolver. The usual one is the ThreadedResolver,
// in a file of its own; whoever asks name servers some other way derives one more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "../loop/future.h"
#include "look_up.h"

namespace eddy {

class Resolver {
 public:
  virtual ~Resolver() = default;

  // The host's addresses, the best first: at least one, or ResolverError. AF_INET or AF_INET6 asks
  // for one family only. Dropping the Future gives the lookup up.
  Future<Addresses> resolve(std::string host, std::uint16_t port, int family = AF_UNSPEC) {
    return find(std::move(host), port, family);
  }

 protected:
  Resolver() = default;

 private:
  virtual Future<Addresses> find(std::string host, std::uint16_t port, int family) = 0;
};

// Answers from a table first, for tests or what /etc/hosts would do, and asks another resolver for
// where that leads, and for all else.
//
//   OverrideResolver({{{"example.com"}, {"127.0.0.1"}},                        // any port
//                     {{"login.example.com", 443}, {"localhost", 1443}},
//                     {{"login.example.com", 443, AF_INET6}, {"::1", 1443}}},  // of several, this
//                    resolver);
class OverrideResolver : public Resolver {
 public:
  struct Asked {
    std::string host;
    std::optional<std::uint16_t> port{};
    std::optional<int> family{};
    bool operator<(const Asked& other) const {
      return std::tie(host, port, family) < std::tie(other.host, other.port, other.family);
    }
  };
  struct Target {
    std::string host;
    std::optional<std::uint16_t> port{};  // none: the one that was asked for
  };
  using Table = std::map<Asked, Target>;

  OverrideResolver(Table table, std::shared_ptr<Resolver> resolver);

 private:
  Future<Addresses> find(std::string host, std::uint16_t port, int family) override;

  const Table table_;
  const std::shared_ptr<Resolver> resolver_;
};

}  // namespace eddy
