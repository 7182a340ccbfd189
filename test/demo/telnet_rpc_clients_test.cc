// The clients that people really have: telnet under expect, nc, nc -C.

#include <algorithm>
#include <string>

#include "telnet_rpc_server.h"

namespace eddy {
namespace {

// The output of a shell command, in which $PORT is the server's. Carriage returns are left out: the
// terminal's and the protocol's cannot be told apart there.
class TelnetRpcClients : public testing::Test {
 protected:
  std::string shell(const std::string& command) const {
    DemoProcess run("sh", {"-c", "PORT=" + std::to_string(server_.port()) + "; " + command});
    const int code = run.wait();
    std::string text = run.out().wait_to_end();
    EXPECT_EQ(code, 0) << text << run.err().text();
    text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
    return text;
  }

  // A person at telnet: `script` is what expect does once the connection stands.
  std::string telnet(const std::string& script) const {
    return shell(
        "expect -c \"set timeout 15; proc see {text} { expect {\n"
        "  -ex \\$text {}\n"
        "  timeout {puts \\\"no \\$text\\\"; exit 1}\n"
        "  eof {puts \\\"end, no \\$text\\\"; exit 1}\n"
        "}}\n"
        "spawn telnet 127.0.0.1 $PORT\n"
        "see {Escape character}\n" +
        script + "\"");
  }

  TelnetRpcServer server_;
};

constexpr const char* kCalls = R"(printf 'time\nsleep 0.3\nmath\nadd 20 22\nnobody\n' )";
constexpr const char* kAnswers =
    "[2] ok 42\n[3] error unknown handler 'nobody'\n[1] ok slept 0.3\n";

TEST_F(TelnetRpcClients, NetcatGetsEveryAnswerAfterItsInputHasEnded) {
  EXPECT_EQ(shell(std::string(kCalls) + "| nc -N 127.0.0.1 $PORT"), kAnswers);
  EXPECT_EQ(shell(std::string(kCalls) + "| nc -N -C 127.0.0.1 $PORT"), kAnswers);
}

TEST_F(TelnetRpcClients, APersonAtTelnetCallsInTwoLinesAndQuits) {
  telnet(R"(send {math
}
send {add 20 22
}
see {[1] ok 42}
send {math.div 1 0
}
see {[2] error division by zero}
send {nobody
}
see {[3] error unknown handler 'nobody'}
send {help
}
see {[4] | time.sleep SECONDS}
see {[4] ok}
send {quit
}
see {Connection closed by foreign host}
expect eof
)");
}

TEST_F(TelnetRpcClients, AnswersOvertakeOnTelnet) {
  telnet(R"(send {time
}
send {sleep 2
}
send {echo.upper quick
}
see {[2] ok QUICK}
see {[1] ok slept 2}
send {quit
}
expect eof
)");
}

TEST_F(TelnetRpcClients, ControlCOnTelnetDropsTheLineAndTheOutputGoesOn) {
  // 3 reaches telnet as its terminal's interrupt character: it sends IAC IP and asks for a timing
  // mark, and shows nothing more until that comes. The pauses are a person's.
  telnet(R"(send {echo.say ready
}
see {[1] ok ready}
send {math
}
after 300
send [format %c 3]
after 300
send {echo.say one
}
see {[2] ok one}
send [format %c 3]
after 300
send {echo.say two
}
see {[3] ok two}
send {quit
}
see {Connection closed}
expect eof
)");
}

TEST_F(TelnetRpcClients, ControlDOnTelnetSaysGoodbye) {
  telnet(R"(send {time.sleep 0.3
}
see {sleep 0.3}
send [format %c 4]
see {[1] ok slept 0.3}
see {Connection closed}
expect eof
)");
}

}  // namespace
}  // namespace eddy
