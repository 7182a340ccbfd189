#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <eddy/loop/await.h>
#include <eddy/loop/run_sync.h>
#include <eddy/proto/relay_client.h>
#include <eddy/proto/relay_server.h>

#include "../support/descriptors.h"
#include "../support/log_capture.h"

namespace eddy {
namespace {

using namespace std::string_literals;

class RelayClientTest : public testing::Test {
 protected:
  std::unique_ptr<IOStream> connect() {
    auto stream = std::make_unique<IOStream>(open_socket(AF_INET));
    loop.run_sync([&] { return stream->connect(server.addresses().front()); });
    return stream;
  }
  // A device that has shaken hands.
  std::unique_ptr<IOStream> device(const std::string& keys) {
    auto stream = connect();
    loop.run_sync([&] { return relay_as_device(*stream, "d", keys); });
    return stream;
  }
  // What a viewer makes of a relay that says `words` and then ends.
  Future<std::string> watch_one_that_says(const std::string& words) {
    SocketPair pair;
    EXPECT_EQ(::send(pair.theirs.get(), words.data(), words.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(words.size()));
    stream_ = std::make_unique<IOStream>(std::move(pair.ours));
    theirs_ = std::move(pair.theirs);
    ::shutdown(theirs_.get(), SHUT_WR);
    return relay_as_viewer(*stream_, "d");
  }
  std::string complaint(const std::string& words) {
    try {
      loop.run_sync([&] { return watch_one_that_says(words); });
      return "none";
    } catch (const RelayError& error) {
      return error.what();
    } catch (const StreamClosedError&) {
      return "closed";
    }
  }

  LogCapture log;
  IOLoop loop;
  RelayServer server;

 private:
  void SetUp() override { server.listen(0, "127.0.0.1"); }
  std::unique_ptr<IOStream> stream_;
  UniqueFd theirs_;
};

TEST_F(RelayClientTest, AViewerGetsTheKeysAndThenTheFrames) {
  const auto feeding = device("x,y");
  const auto watching = connect();
  EXPECT_EQ(loop.run_sync([&] { return relay_as_viewer(*watching, "d"); }), "x,y");
  const auto pass_a_frame = [&]() -> Future<std::string> {
    Future<std::string> frame = watching->read_bytes(8);
    while (!frame.done()) {  // the relay may not know yet that the viewer accepts the keys
      co_await feeding->write(format_relay_frame(std::array{1.5F, -2.0F}));
      co_await moment;
    }
    co_return co_await frame;
  };
  EXPECT_EQ(parse_relay_frame(loop.run_sync(pass_a_frame)), (std::vector{1.5F, -2.0F}));
}

TEST_F(RelayClientTest, AViewerOfAnUnknownDeviceHearsSo) {
  const auto watching = connect();
  EXPECT_THROW(loop.run_sync([&] { return relay_as_viewer(*watching, "nobody"); }), RelayError);
}

TEST_F(RelayClientTest, RefusesBeforehandWhatTheRelayWouldRefuse) {
  const auto stream = connect();
  const auto announce = [&](const std::string& uuid, const std::string& keys) {
    loop.run_sync([&] { return relay_as_device(*stream, uuid, keys); });
  };
  EXPECT_THROW(announce("", "x"), RelayError);
  EXPECT_THROW(announce(std::string(4097, 'u'), "x"), RelayError);
  EXPECT_THROW(announce("d", "x,,y"), RelayError);
  EXPECT_THROW(announce("d", std::string(5000, 'k')), RelayError);
  EXPECT_THROW(loop.run_sync([&] { return relay_as_viewer(*stream, ""); }), RelayError);
  EXPECT_NO_THROW(announce("d", "x"));  // nothing had been sent
}

TEST_F(RelayClientTest, ARelayThatSaysNonsenseIsFoundOut) {
  EXPECT_EQ(complaint("\x7F"s), "the relay answers '\\x7f', which no relay says here");
  EXPECT_EQ(complaint("\0\2"s), "the relay answers '\\x02', which no relay says here");
  EXPECT_EQ(complaint("\0\1"s), "no device 'd'");
  EXPECT_EQ(complaint("\0\0\xFF\xFF\xFF\xFF"s), "key list of 4294967295 bytes: at most 4096");
  EXPECT_EQ(complaint("\0\0\0\0\0\3x,x"s), "key 'x' twice");
}

TEST_F(RelayClientTest, FailsWhereverTheRelayLeaves) {
  const std::string words = "\0\0\0\0\0\3x,y"s;
  for (std::size_t cut = 0; cut < words.size(); ++cut)
    EXPECT_EQ(complaint(words.substr(0, cut)), "closed") << "cut at " << cut;
  EXPECT_EQ(complaint(words), "none");
}

}  // namespace
}  // namespace eddy
