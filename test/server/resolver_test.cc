#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <eddy/loop/io_loop.h>
#include <eddy/server/resolver.h>

namespace eddy {
namespace {

// Knows nothing, and tells what it is asked for.
class Echo : public Resolver {
 public:
  std::vector<std::string> asked;

 private:
  Future<Addresses> find(std::string host, std::uint16_t port, int family) override {
    asked.push_back(host + ' ' + std::to_string(port) + ' ' + std::to_string(family));
    return make_ready_future(Addresses{});
  }
};

class OverrideResolverTest : public testing::Test {
 protected:
  // What the resolver behind it is asked for.
  std::string asks(const std::string& host, std::uint16_t port, int family = AF_UNSPEC) {
    EXPECT_TRUE(resolver_.resolve(host, port, family).done());
    return behind_->asked.back();
  }

  IOLoop loop_;
  std::shared_ptr<Echo> behind_ = std::make_shared<Echo>();
  OverrideResolver resolver_{{{{"example.com"}, {"10.0.0.1"}},
                              {{"example.com", 443}, {"localhost", 1443}},
                              {{"example.com", 443, AF_INET6}, {"::1", 2443}}},
                             behind_};
};

TEST_F(OverrideResolverTest, AHostAloneStandsForAllItsPorts) {
  EXPECT_EQ(asks("example.com", 80), "10.0.0.1 80 0");
}

TEST_F(OverrideResolverTest, APortIsMoreThanAHostAndAFamilyMoreThanAPort) {
  EXPECT_EQ(asks("example.com", 443), "localhost 1443 0");
  EXPECT_EQ(asks("example.com", 443, AF_INET), "localhost 1443 " + std::to_string(AF_INET));
  EXPECT_EQ(asks("example.com", 443, AF_INET6), "::1 2443 " + std::to_string(AF_INET6));
}

TEST_F(OverrideResolverTest, WhatIsNotInTheTableIsAskedForAsItIs) {
  EXPECT_EQ(asks("www.example.com", 443), "www.example.com 443 0");
}

}  // namespace
}  // namespace eddy
