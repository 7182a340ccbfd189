// Whatever the bytes are: they are read to an end, what comes of them keeps to the limits, and it
// is the same when they come in two pieces.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <eddy/proto/http_parser.h>

namespace {

using eddy::HTTPParser;

constexpr eddy::HTTPLimits kLimits{.max_request_line = 64,
                                   .max_header = 256,
                                   .max_headers = 8,
                                   .max_body = 128,
                                   .max_chunk_line = 32};

void require(bool condition) {
  if (!condition) std::abort();
}

class Reading {
 public:
  void feed(std::string_view bytes) {
    const std::string copy(bytes);  // what is read beyond its end is seen by the sanitizer
    std::string_view input = copy;
    for (auto event = parser_.next(input); event != HTTPParser::Event::none;
         event = parser_.next(input))
      tell(event);
    require(input.empty());
  }
  const std::string& told() const { return told_; }

 private:
  void tell(HTTPParser::Event event) {
    const eddy::HTTPRequest& request = parser_.request();
    switch (event) {
      case HTTPParser::Event::none: break;
      case HTTPParser::Event::request:
        // One more: the Host of a target that names its own.
        require(request.headers.size() <= kLimits.max_headers + 1);
        require(!request.chunked || !request.content_length);
        told_ += request.method + ' ' + std::string(request.path()) + '\n';
        for (const auto& [name, value] : request.headers.fields())
          told_ += name + ": " + value + '\n';
        for (const auto& [name, value] : request.cookies()) told_ += name + '=' + value + '\n';
        body_ = 0;
        break;
      case HTTPParser::Event::body:
        require(!parser_.body().empty());
        body_ += parser_.body().size();
        require(body_ <= kLimits.max_body);
        told_ += parser_.body();
        break;
      case HTTPParser::Event::end: told_ += "\nend\n"; break;
      case HTTPParser::Event::refused:
        require(parser_.refusal().status >= 400 && !parser_.refusal().reason.empty());
        told_ += parser_.refusal().reason;
        break;
    }
  }

  HTTPParser parser_{kLimits};
  std::string told_;
  std::size_t body_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = data[0] % size;  // the first byte says where
  Reading whole;
  whole.feed(bytes);
  Reading pieces;
  pieces.feed(bytes.substr(0, cut));
  pieces.feed(bytes.substr(cut));
  require(whole.told() == pieces.told());
  return 0;
}
