// The files of a folder, over a socket.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <eddy/proto/http_files.h>

#include "../support/temporary_folder.h"
#include "http_server_test.h"

namespace eddy {
namespace {

class HTTPFilesTest : public HTTPServerTest {
 public:
  HTTPFilesTest() {
    put("secret", "secret");
    std::filesystem::create_directories(folder.file("www/sub"));
    std::filesystem::create_directories(folder.file("www/.git"));
    put("www/some.txt", "0123456789");
    put("www/index.html", "<p>home");
    put("www/sub/a b.css", "p {}");
    put("www/.git/config", "hidden");
    put("www/empty", "");
    std::filesystem::create_symlink("../secret", folder.file("www/link"));
    std::filesystem::create_directory_symlink("..", folder.file("www/up"));
    ::mkfifo(folder.file("www/fifo").c_str(), 0600);
    routes.get("/s/(.*)", HTTPFiles(folder.file("www"), {.max_age = 60s}));
    serve();
  }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder.file(name)) << text;
  }
  std::string ask(const std::string& path, const std::string& fields = "",
                  const std::string& method = "GET") {
    RawClient& client = say(method + " /s/" + path +
                            " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
    EXPECT_TRUE(ends(client));
    return client.received();
  }
  // The status and the body.
  std::string get(const std::string& path, const std::string& fields = "") {
    const std::string answer = ask(path, fields);
    return answer.substr(9, 3) + ' ' + answer.substr(answer.find("\r\n\r\n") + 4);
  }
  static std::string field(const std::string& answer, const std::string& name) {
    const std::size_t at = answer.find("\r\n" + name + ": ");
    if (at == answer.npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  }

  TemporaryFolder folder;
};

TEST_F(HTTPFilesTest, AreSentWithTheirTypeAndTheirVersion) {
  const std::string answer = ask("some.txt");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n0123456789"));
  EXPECT_EQ(field(answer, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(field(answer, "Content-Length"), "10");
  EXPECT_EQ(field(answer, "Cache-Control"), "max-age=60");
  EXPECT_EQ(field(answer, "Accept-Ranges"), "bytes");
  EXPECT_NE(field(answer, "ETag"), "");
  EXPECT_NE(field(answer, "Last-Modified"), "");
  EXPECT_EQ(get("empty"), "200 ");
  EXPECT_EQ(get("sub/a%20b.css"), "200 p {}");
}

TEST_F(HTTPFilesTest, OfAFolderItsIndex) {
  EXPECT_EQ(get(""), "200 <p>home");
  EXPECT_EQ(get("sub/"), "404 404 Not Found");
  EXPECT_EQ(get("sub"), "404 404 Not Found");
}

TEST_F(HTTPFilesTest, AHeadTellsTheSameWithoutThem) {
  const std::string answer = ask("some.txt", "", "HEAD");
  EXPECT_EQ(field(answer, "Content-Length"), "10");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HTTPFilesTest, WhoHasItAlreadyIsToldSo) {
  const std::string first = ask("some.txt");
  for (const std::string& condition : {"If-None-Match: " + field(first, "ETag"),
                                       "If-Modified-Since: " + field(first, "Last-Modified")}) {
    const std::string again = ask("some.txt", condition + "\r\n");
    EXPECT_TRUE(again.starts_with("HTTP/1.1 304 Not Modified\r\n"));
    EXPECT_TRUE(again.ends_with("\r\n\r\n"));
    EXPECT_EQ(field(again, "ETag"), field(first, "ETag"));
  }
  put("www/some.txt", "another");
  EXPECT_EQ(get("some.txt", "If-None-Match: " + field(first, "ETag") + "\r\n"), "200 another");
  EXPECT_EQ(get("some.txt", "If-Match: " + field(first, "ETag") + "\r\n"),
            "412 412 Precondition Failed");
}

TEST_F(HTTPFilesTest, APartIsSentAlone) {
  const std::string part = ask("some.txt", "Range: bytes=2-4\r\n");
  EXPECT_TRUE(part.starts_with("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_TRUE(part.ends_with("\r\n\r\n234"));
  EXPECT_EQ(field(part, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(field(part, "Content-Length"), "3");
  const std::string none = ask("some.txt", "Range: bytes=10-\r\n");
  EXPECT_TRUE(none.starts_with("HTTP/1.1 416 Range Not Satisfiable\r\n"));
  EXPECT_EQ(field(none, "Content-Range"), "bytes */10");
}

TEST_F(HTTPFilesTest, ThereIsNoWayOutOfTheFolder) {
  for (const std::string path :
       {"../secret", "%2e%2e/secret", "..%2fsecret", "sub/../../secret", "sub/..%2F..%2Fsecret",
        "/etc/passwd", "%2Fetc%2Fpasswd", "link", "up/secret", "up/www/some.txt", "./some.txt",
        "sub//a%20b.css", ".git/config", ".git/", "fifo", "..", ".", "some.txt/", "nothing"})
    EXPECT_EQ(get(path), "404 404 Not Found") << path;
  for (const std::string path : {"some.txt%00.css", "%c0%ae%c0%ae/secret", "%zz"})
    EXPECT_EQ(get(path), "400 400 Bad Request") << path;
  EXPECT_EQ(get(std::string(1000, 'x')), "404 404 Not Found");
}

TEST_F(HTTPFilesTest, WhatGrowsMeanwhileIsSentAsItWas) {
  const std::string answer = ask("some.txt");
  put("www/some.txt", "0123456789 and more");
  EXPECT_EQ(get("some.txt"), "200 0123456789 and more");
  EXPECT_EQ(field(answer, "Content-Length"), "10");
}

TEST_F(HTTPFilesTest, WithoutADescriptorItIsABusyServer) {
  platform.fail(Call::openat, EMFILE);
  EXPECT_EQ(get("some.txt"), "503 503 Service Unavailable");
  EXPECT_EQ(log.count("cannot open a file: some.txt: Too many open files"), 1U);
  platform.fail(Call::openat, EACCES);
  EXPECT_EQ(get("some.txt"), "403 403 Forbidden");
}

TEST_F(HTTPFilesTest, ALargeOneLeavesWithoutPassingThroughOurMemory) {
  const std::string text(20 << 20, 'x');
  put("www/large", text);
  RawClient& client = say("GET /s/large HTTP/1.1\r\nHost: a\r\n\r\n" + kIndex);
  std::size_t most = 0;
  EXPECT_TRUE(run_until([&] {
    most = std::max(most, server->buffers().total());
    return client.received().ends_with("\r\n\r\nOK");
  }));
  EXPECT_GT(client.received().size(), text.size());
  EXPECT_LT(most, 10'000U);
}

TEST(HTTPFiles, OfAFolderThatIsNotThereAreRefused) {
  EXPECT_THROW(HTTPFiles("/nonexistent/folder"), std::system_error);
}

TEST(HTTPFiles, HaveTheTypeOfTheirName) {
  EXPECT_EQ(media_type_of("a.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("a.b.PNG"), "image/png");
  EXPECT_EQ(media_type_of("html"), "application/octet-stream");
  EXPECT_EQ(media_type_of("a.unknown"), "application/octet-stream");
}

TEST_F(HTTPServerTest, AHealthRouteTellsWhetherAllIsWell) {
  bool is_well = true;
  routes.add_health("/healthz", [&] { return is_well; });
  routes.add_health("/up");
  serve();
  const auto ask = [](const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  const std::string fresh = "Cache-Control: no-store\r\n\r\n";
  EXPECT_TRUE(hears(say(ask("/healthz")), "HTTP/1.1 200 OK\r\n" + fresh + "ok"));
  EXPECT_TRUE(hears(say(ask("/up")), "HTTP/1.1 200 OK\r\n" + fresh + "ok"));
  is_well = false;
  EXPECT_TRUE(
      hears(say(ask("/healthz")), "HTTP/1.1 503 Service Unavailable\r\n" + fresh + "not ok"));
}

}  // namespace
}  // namespace eddy
