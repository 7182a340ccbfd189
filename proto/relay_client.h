// relay_client: how a program becomes a device or a viewer of a RelayServer.
//
// The other end of the article's two conversations. Each takes a connected stream through the
// handshake; then a device writes frames, and a viewer reads them.
//
//   co_await relay_as_device(stream, "thermometer", "celsius");
//   co_await stream.write(format_relay_frame(values));
#pragma once

#include <string>

#include "../stream/io_stream.h"
#include "relay_frame.h"

namespace eddy {

// Done when the relay has accepted the keys, which are names with commas between them. Both fail
// with StreamClosedError when the relay ends the connection, and with RelayError before anything
// is sent when it would refuse what it is told.
Future<> relay_as_device(IOStream& stream, std::string uuid, std::string keys);

// Gives the keys of the device, after which its frames come. Fails with RelayError also when no
// device has this UUID.
Future<std::string> relay_as_viewer(IOStream& stream, std::string uuid);

}  // namespace eddy
