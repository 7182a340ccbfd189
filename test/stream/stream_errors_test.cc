#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <eddy/stream/stream_errors.h>

namespace eddy {
namespace {

TEST(StreamErrors, AnOrderlyEndHasNoErrorBehindIt) {
  const StreamClosedError error;
  EXPECT_FALSE(error.real_error());
  EXPECT_EQ(error.error_number(), 0);
  EXPECT_STREQ(error.what(), "stream closed");
}

TEST(StreamErrors, TheErrnoBehindAClosedStreamIsKept) {
  const StreamClosedError error(
      std::make_exception_ptr(std::system_error(ECONNRESET, std::generic_category(), "read")));
  EXPECT_EQ(error.error_number(), ECONNRESET);
  EXPECT_NE(std::string(error.what()).find("reset by peer"), std::string::npos);
}

TEST(StreamErrors, WhatIsNoErrnoIsKeptToo) {
  const StreamClosedError error(std::make_exception_ptr(UnsatisfiableReadError("max_bytes = 3")));
  EXPECT_EQ(error.error_number(), 0);
  EXPECT_THROW(std::rethrow_exception(error.real_error()), UnsatisfiableReadError);
  EXPECT_STREQ(error.what(), "stream closed: max_bytes = 3");
}

TEST(StreamErrors, ThatAPeerIsGoneIsEveryday) {
  for (const int error_number : {ECONNRESET, ECONNABORTED, EPIPE, ETIMEDOUT})
    EXPECT_TRUE(is_connection_reset(error_number)) << error_number;
  for (const int error_number : {0, EIO, EHOSTUNREACH, ENOBUFS, EBADF})
    EXPECT_FALSE(is_connection_reset(error_number)) << error_number;
}

}  // namespace
}  // namespace eddy
