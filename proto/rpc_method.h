// RpcMethod: one thing that a peer can ask for, and RpcCall, one time that it does.
//
// Mirrors the methods of a Tornado RequestHandler, which are plain functions or coroutines as their
// author likes. An RpcHandler makes them of what it is given; a server calls them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "../loop/future.h"
#include "rpc_arguments.h"

namespace eddy {

// What a running method can know of its call, and do for it. It outlives the method's coroutine:
// when the connection goes away, the coroutine is ended first.
class RpcCall {
 public:
  virtual std::uint64_t number() const = 0;  // on its connection, from 1
  virtual const std::string& peer() const = 0;

  // Writes one row of the answer. Await it: it is done once there is room for the next one.
  virtual Future<> row(std::string text) = 0;

 protected:
  ~RpcCall() = default;
};

class RpcMethod {
 public:
  virtual ~RpcMethod() = default;
  RpcMethod(const RpcMethod&) = delete;
  RpcMethod& operator=(const RpcMethod&) = delete;

  const std::string& name() const { return name_; }
  const std::string& usage() const { return usage_; }  // `math.add A B…`

  // Calls it. Each line of the Future's text is a row of the answer, or the answer if there is but
  // one. Whatever goes wrong, at once or later, arrives through the Future; wrong arguments as an
  // RpcError that tells the usage. Dropping the Future ends the method's coroutine.
  Future<std::string> call(RpcCall& call, std::span<const std::string> words) const;

 protected:
  RpcMethod(std::string name, std::string usage, std::size_t parameters, bool takes_rest)
      : name_(std::move(name)),
        usage_(std::move(usage)),
        parameters_(parameters),
        takes_rest_(takes_rest) {}

  // With as many words as the parameters need.
  virtual Future<std::string> invoke(RpcCall& call, std::span<const std::string> words) const = 0;
  Future<std::string> refuse(const std::string& problem) const;

 private:
  const std::string name_;
  const std::string usage_;
  const std::size_t parameters_;
  const bool takes_rest_;
};

}  // namespace eddy

#include "rpc_method_inline.h"  // how a function becomes one
