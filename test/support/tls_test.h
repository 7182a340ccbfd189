// TLSTest: a TLS stream, ours, and at the other end another one of ours, or OpenSSL alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <eddy/stream/tls_io_stream.h>

#include "certificates.h"
#include "stream_test.h"
#include "tls_peer.h"

namespace eddy {

inline TLSServerOptions server_options(
    const CertificateFiles& files = Certificates::common().server()) {
  return {.certificate_chain_file = files.certificate, .private_key_file = files.key};
}
inline TLSClientOptions client_options() { return {.ca_file = Certificates::common().authority()}; }

class TLSTest : public StreamTest {
 public:
  using Context = std::shared_ptr<const TLSContext>;

  TLSIOStream& tls() { return static_cast<TLSIOStream&>(*ours); }

  // Ours is a server, theirs a client that only speaks when the test lets it.
  void serve(TLSPeer client = TLSPeer::client(), const StreamLimits& limits = {}) {
    serve(TLSContext::for_server(server_options()), std::move(client), limits);
  }
  void serve(const Context& context, TLSPeer client, const StreamLimits& limits = {}) {
    open_between([&](UniqueFd socket) {
      return std::make_unique<TLSIOStream>(std::move(socket), context, handshake, share(limits));
    });
    peer.emplace(std::move(client));
  }
  // Ours is a client, theirs a server that only speaks when the test lets it.
  void ask(TLSPeer server, const TLSClientOptions& options = client_options()) {
    const Context context = TLSContext::for_client(options);
    handshake.server_hostname = "localhost";
    open_between([&](UniqueFd socket) {
      return std::make_unique<TLSIOStream>(std::move(socket), context, handshake);
    });
    peer.emplace(std::move(server));
  }
  // Both are ours: `ours` the client, `other` the server.
  void connect_both(const TLSServerOptions& server, const TLSClientOptions& client,
                    const StreamLimits& limits = {}) {
    const Context server_side = TLSContext::for_server(server);
    const Context client_side = TLSContext::for_client(client);
    if (handshake.server_hostname.empty()) handshake.server_hostname = "localhost";
    SocketPair pair;
    ours =
        std::make_unique<TLSIOStream>(std::move(pair.ours), client_side, handshake, share(limits));
    other = std::make_unique<TLSIOStream>(std::move(pair.theirs), server_side, HandshakeOptions(),
                                          share(limits));
  }
  void connect_both() { connect_both(server_options(), client_options()); }

  // What either end of ours and theirs has to say reaches the other one.
  void exchange() {
    loop.turn();
    peer->feed(theirs.receive());
    theirs.send(peer->take());
    loop.turn();
  }
  bool exchange_until_established() {
    const auto established = [&] {
      return tls().wait_for_handshake().done() && peer->established();
    };
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!established() && !ours->closed() && std::chrono::steady_clock::now() < bound)
      exchange();
    run_turns();
    theirs.send(peer->take());
    return peer->established() && !ours->closed();
  }
  bool exchange_until(const std::string& received) {
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (peer->received() != received && std::chrono::steady_clock::now() < bound) exchange();
    return peer->received() == received;
  }
  void say(std::string_view text) {  // they do
    peer->write(text);
    theirs.send(peer->take());
  }

  template <class T>
  std::string reason(Future<T> future) {  // the TLSError behind its failure
    const auto error = closed_by<TLSError>(std::move(future));
    return error ? error->what() : "";
  }

  HandshakeOptions handshake;
  std::optional<TLSPeer> peer;
  std::unique_ptr<TLSIOStream> other;

 private:
  template <class F>
  void open_between(F make) {
    SocketPair pair;
    ours = make(std::move(pair.ours));
    theirs = Peer(std::move(pair.theirs));
  }
};

}  // namespace eddy
