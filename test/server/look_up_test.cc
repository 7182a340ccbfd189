#include <gtest/gtest.h>
#include <netdb.h>

#include <string>
#include <vector>

#include <eddy/server/look_up.h>

namespace eddy {
namespace {

std::string failure_of(const std::string& host, int family = AF_UNSPEC) {
  try {
    look_up(host, 80, family);
  } catch (const ResolverError& error) {
    return error.what();
  }
  return "no failure";
}

std::vector<std::string> texts(const Addresses& addresses) {
  std::vector<std::string> all;
  for (const SocketAddress& address : addresses) all.push_back(address.to_string());
  return all;
}
using Texts = std::vector<std::string>;

TEST(LookUp, GivesTheAddressesOfAHostWithItsPort) {
  EXPECT_EQ(texts(look_up("127.0.0.1", 80)), Texts{"127.0.0.1:80"});
  EXPECT_EQ(texts(look_up("::1", 65535)), Texts{"[::1]:65535"});
  EXPECT_EQ(texts(look_up("localhost", 80, AF_INET)), Texts{"127.0.0.1:80"});
}

TEST(LookUp, AnEmptyHostIsNoneUnlessEveryInterfaceIsMeant) {
  EXPECT_EQ(failure_of("").find("cannot resolve '': "), 0U);
  EXPECT_EQ(texts(look_up("", 80, AF_INET, AI_PASSIVE)), Texts{"0.0.0.0:80"});
}

TEST(LookUp, AHostWithoutAnAddressIsNamedWithTheReason) {
  EXPECT_EQ(failure_of("::1", AF_INET),
            std::string("cannot resolve '::1': ") + ::gai_strerror(EAI_ADDRFAMILY));
  EXPECT_EQ(failure_of("127.0.0.1", AF_UNIX),
            std::string("cannot resolve '127.0.0.1': ") + ::gai_strerror(EAI_FAMILY));
}

TEST(LookUp, AStrangersHostIsNeverShownRawNorCutOff) {
  using namespace std::string_literals;
  EXPECT_EQ(failure_of("127.0.0.1\0.evil"s),
            "cannot resolve '127.0.0.1\\x00.evil': "s + ::gai_strerror(EAI_NONAME));
}

TEST(LookUpNumeric, KnowsAddressesAndNoNames) {
  EXPECT_EQ(texts(look_up_numeric("127.0.0.1", 80).value()), Texts{"127.0.0.1:80"});
  EXPECT_EQ(texts(look_up_numeric("::1", 80, AF_INET6).value()), Texts{"[::1]:80"});
  for (const char* name : {"localhost", "example.com", "1.2.3.4.5", ""})
    EXPECT_FALSE(look_up_numeric(name, 80)) << name;
}

TEST(LookUpNumeric, AnAddressOfTheOtherFamilyIsAFailureAndNoName) {
  EXPECT_THROW(look_up_numeric("127.0.0.1", 80, AF_INET6), ResolverError);
}

}  // namespace
}  // namespace eddy
